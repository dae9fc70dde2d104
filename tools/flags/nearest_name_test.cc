#include "tools/flags/nearest_name.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tools {
namespace {

TEST(NearestNameTest, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"batch", "epochs", "weight_decay", "weight_lr", "run"};
  const std::map<std::string, std::string> misspelled = {
      {"bach", "batch"},          {"btach", "batch"},
      {"batch", "batch"},         {"epoch", "epochs"},
      {"weigth_lr", "weight_lr"}, {"weightdecay", "weight_decay"},
      {"weight-lr", "weight_lr"}, {"runs", "run"}};
  for (const auto& [name, meant] : misspelled) {
    EXPECT_EQ(NearestName(name, names), meant) << name;
  }
}

TEST(NearestNameTest, GuessesNothingThatIsFarAway) {
  const std::vector<std::string> names = {"batch", "epochs", "run"};
  for (const std::string name : {"", "x", "ru", "flagfile", "momentum"}) {
    EXPECT_EQ(NearestName(name, names), "") << name;
  }
  EXPECT_EQ(NearestName("batch", {}), "");
}

TEST(NearestNameTest, TheFirstOfThoseAsNear) {
  EXPECT_EQ(NearestName("cats", {"bats", "cars"}), "bats");
}

}  // namespace
}  // namespace tools
