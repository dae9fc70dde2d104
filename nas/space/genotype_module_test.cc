#include "nas/space/genotype_module.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/space/published_genotypes.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

// As people write it.
const char kModule[] = R"(from collections import namedtuple

Genotype = namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')

First = Genotype(
  normal = [
    ('sep_conv_3x3', 1),
    ('skip_connect', 0),
  ],
  normal_concat = [2],
  reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=range(2, 3))
Second=Genotype(normal=[('none', 0), ('none', 1)], normal_concat=[2],
                reduce=[('none', 0), ('none', 1)], reduce_concat=[2])
Best = Second
)";

std::string ErrorOf(absl::string_view text, absl::string_view name) {
  return std::string(GenotypeOfModule(text, name).status().message());
}

TEST(GenotypeModuleTest, NamesAndAliases) {
  const auto first = GenotypeOfModule(kModule, "First");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->normal.edges[0], (GenotypeEdge{Primitive::kSepConv3x3, 1}));
  const auto second = GenotypeOfModule(kModule, "Second");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(*GenotypeOfModule(kModule, "Best"), *second);
  EXPECT_FALSE(*first == *second);
}

TEST(GenotypeModuleTest, TheOnlyOneNeedsNoName) {
  const Genotype genotype = *PublishedGenotype("PC_DARTS_image");
  const std::string text = GenotypeToText(genotype);
  EXPECT_EQ(*GenotypeOfModule(absl::StrCat("11:02 INFO genotype = ", text, "\n11:03 (done)"), ""),
            genotype);
  EXPECT_EQ(*GenotypeOfModule(text, ""), genotype);
}

TEST(GenotypeModuleTest, WhatIsWrittenIsRead) {
  const Genotype genotype = *PublishedGenotype("QDARTS_CIFAR_0");
  EXPECT_EQ(*GenotypeOfModule(GenotypeModule("Found", genotype), "Found"), genotype);
}

TEST(GenotypeModuleTest, ErrorsSayWhatThereIs) {
  EXPECT_EQ(ErrorOf("nothing", ""), "holds no Genotype(…)");
  EXPECT_EQ(ErrorOf(kModule, ""),
            "holds more than one genotype; there are First, Second: name one as FILE:NAME");
  EXPECT_EQ(ErrorOf(kModule, "Third"),
            "has no genotype Third; there are First, Second: name one as FILE:NAME");
  EXPECT_THAT(ErrorOf("Cut = Genotype(normal=[('none', 0),", "Cut"), HasSubstr("Cut: character "));
}

}  // namespace
}  // namespace nas
