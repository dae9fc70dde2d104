#include "nas/space/published_genotypes.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/space/genotype.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

TEST(PublishedGenotypesTest, EveryNameIsAValidGenotype) {
  EXPECT_EQ(PublishedGenotypeNames().size(), 18);
  for (const std::string& name : PublishedGenotypeNames()) {
    const auto genotype = PublishedGenotype(name);
    EXPECT_TRUE(genotype.ok()) << name << ": " << genotype.status();
  }
}

TEST(PublishedGenotypesTest, ArchIsANameATextOrJson) {
  const Genotype expected = *PublishedGenotype("PC_DARTS_image");
  EXPECT_EQ(*ResolveGenotype("PC_DARTS_image"), expected);
  EXPECT_EQ(*ResolveGenotype(GenotypeToText(expected)), expected);
  EXPECT_EQ(*ResolveGenotype(" \n" + GenotypeToText(expected)), expected);
  EXPECT_EQ(*PublishedGenotype("PCDARTS"), *PublishedGenotype("PC_DARTS_cifar"));
}

TEST(PublishedGenotypesTest, UnknownNameListsTheKnownOnes) {
  const absl::Status status = ResolveGenotype("PC_DARTS").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("'PC_DARTS'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("QDARTS_CIFAR_1e15_CO"));
}

}  // namespace
}  // namespace nas
