#include "nas/derived/architecture_identity.h"

#include "gtest/gtest.h"
#include "nas/space/published_genotypes.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

TEST(ArchitectureIdentityTest, IsShapeGenotypeAndBitsAlone) {
  const Genotype genotype = PublishedGenotype("PC_DARTS_cifar").value();
  Architecture architecture = UniformArchitecture(genotype, {.layers = 3}, {4, 4}).value();
  const nlohmann::json identity = ArchitectureIdentity(architecture);
  architecture.search = {{"epochs", 50}};
  EXPECT_EQ(ArchitectureIdentity(architecture), identity);
  EXPECT_EQ(identity["network"]["layers"], 3);
  EXPECT_FALSE(identity.contains("build_id"));
  EXPECT_FALSE(
      identity.contains("cost"));  // It follows from the rest, and so may its count change.

  architecture.bits[0].weight = 2;
  EXPECT_NE(ArchitectureIdentity(architecture), identity);
  architecture.bits[0].weight = 4;
  architecture.network.classes = 7;
  EXPECT_NE(ArchitectureIdentity(architecture), identity);
}

}  // namespace
}  // namespace nas
