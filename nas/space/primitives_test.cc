#include "nas/space/primitives.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

TEST(PrimitivesTest, NamesAndOrderAreThePublishedOnes) {
  constexpr const char* kPublished[] = {"none",         "max_pool_3x3", "avg_pool_3x3",
                                        "skip_connect", "sep_conv_3x3", "sep_conv_5x5",
                                        "dil_conv_3x3", "dil_conv_5x5"};
  for (int i = 0; i < kNumSearchPrimitives; ++i) {
    EXPECT_EQ(PrimitiveName(kSearchPrimitives[i]), kPublished[i]);
  }
}

TEST(PrimitivesTest, NamesRoundTrip) {
  for (const char* name : {"none", "dil_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7"}) {
    EXPECT_EQ(PrimitiveName(*ParsePrimitive(name)), name);
  }
}

TEST(PrimitivesTest, UnknownNameListsTheKnownOnes) {
  const std::string message(ParsePrimitive("sep_conv_9x9").status().message());
  EXPECT_THAT(message, HasSubstr("sep_conv_9x9"));
  EXPECT_THAT(message, HasSubstr("conv_7x1_1x7"));
}

TEST(PrimitivesTest, EverySearchedConvolutionHasItsOwnGammaRow) {
  std::set<int> rows;
  for (const Primitive primitive : kSearchPrimitives) {
    if (const auto row = GammaRow(primitive)) rows.insert(*row);
  }
  EXPECT_EQ(rows, (std::set<int>{0, 1, 2, 3, 5}));
}

}  // namespace
}  // namespace nas
