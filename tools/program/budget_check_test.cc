#include "tools/program/budget_check.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/published_genotypes.h"
#include "quant/bit_cost.h"

namespace tools {
namespace {

using testing::HasSubstr;

constexpr nas::NetworkShape kShape = {.channels = 8, .layers = 5};

nas::DerivedLayout Layout(const nas::Genotype& genotype) {
  return *nas::MakeDerivedLayout(genotype, kShape);
}

double BitOps(const nas::DerivedLayout& layout, int64_t bits) {
  return nas::CostTarget{.bit_ops = 1}.Excess(layout,
                                              {layout.convs.size(), nas::ConvBits{bits, bits}});
}

TEST(BudgetCheckTest, TheExtremesEncloseEveryPublishedGenotypeOfTheSearchSpace) {
  const double least = BitOps(Layout(CheapestGenotype()), 4);
  const double most = BitOps(Layout(DearestGenotype()), 4);
  for (const char* name : {"DARTS_V1", "DARTS_V2", "PC_DARTS_cifar", "PC_DARTS_image"}) {
    const double cost = BitOps(Layout(*nas::PublishedGenotype(name)), 4);
    EXPECT_LT(least, cost) << name;
    EXPECT_GT(most, cost) << name;
  }
}

TEST(BudgetCheckTest, SaysWhatIsInReach) {
  const nas::DerivedLayout layout = Layout(*nas::PublishedGenotype("PC_DARTS_cifar"));
  const std::vector<int64_t> bits = {2, 4};
  const auto check = [&](const nas::CostTarget& target) {
    return RequireBudgetInReach(target, bits, layout, layout);
  };
  EXPECT_TRUE(check({}).ok());
  // 32 * 32 over 4 * 4 and over 2 * 2, and a tenth.
  for (const double compression : {60., 64., 100., 256., 280.}) {
    EXPECT_TRUE(check({.compression = compression}).ok()) << compression;
  }
  for (const double compression : {50., 300.}) {
    EXPECT_THAT(std::string(check({.compression = compression}).message()),
                HasSubstr("out of reach: what may be derived has 64 to 256"));
  }
  const double two = BitOps(layout, 2);
  EXPECT_TRUE(check({.bit_ops = two}).ok());
  EXPECT_TRUE(check({.bit_ops = 4 * two}).ok());
  EXPECT_THAT(std::string(check({.bit_ops = two / 2}).message()), HasSubstr("--target_bitops="));
  EXPECT_FALSE(check({.bit_ops = 5 * two}).ok());
}

}  // namespace
}  // namespace tools
