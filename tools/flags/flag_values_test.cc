#include "tools/flags/flag_values.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace tools {
namespace {

TEST(ShownValueTest, NumbersAreAsAPersonTypesThem) {
  const std::map<std::string, std::string> shown = {{"0.050000000000000003", "0.05"},
                                                    {"0.00059999999999999995", "0.0006"},
                                                    {"1e-4", "0.0001"},
                                                    {"3.0000000000000001e-05", "3e-05"},
                                                    {"15", "15"},
                                                    {"-0.5", "-0.5"},
                                                    {"0", "0"},
                                                    {"250000", "250000"},
                                                    {"2e9", "2e+09"},
                                                    {"inf", "inf"}};
  for (const auto& [value, text] : shown) EXPECT_EQ(ShownValue("double", value), text);
}

TEST(ShownValueTest, OtherTypesAreLeftAsTheyAre) {
  EXPECT_EQ(ShownValue("string", "0.050000000000000003"), "0.050000000000000003");
  EXPECT_EQ(ShownValue("int64", "1000000"), "1000000");
}

}  // namespace
}  // namespace tools
