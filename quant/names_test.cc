#include "quant/names.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace quant {
namespace {

TEST(NamesTest, RoundTrip) {
  for (const EightBit value : kEightBits) {
    EXPECT_EQ(*ParseEightBit(EightBitName(value)), value);
  }
  for (const CostModel value : {CostModel::kPublished, CostModel::kExact}) {
    EXPECT_EQ(*ParseCostModel(CostModelName(value)), value);
  }
}

TEST(NamesTest, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  EXPECT_THAT(std::string(ParseEightBit("both").status().message()),
              testing::AllOf(testing::HasSubstr("both"), testing::HasSubstr("symmetric")));
  EXPECT_THAT(std::string(ParseCostModel("").status().message()), testing::HasSubstr("exact"));
}

}  // namespace
}  // namespace quant
