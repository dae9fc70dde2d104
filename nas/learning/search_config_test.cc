#include "nas/learning/search_config.h"

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

// A resumed search that would derive another network is another search.
TEST(SearchConfigTest, TheNetworkToDeriveIsPartOfIt) {
  const nlohmann::json json = ToJson(SearchConfig{});
  const auto differs = [&json](auto change) {
    SearchConfig config;
    change(config);
    return ToJson(config) != json;
  };
  EXPECT_FALSE(differs([](SearchConfig&) {}));
  EXPECT_TRUE(differs([](SearchConfig& config) { config.derived.layers = 14; }));
  EXPECT_TRUE(differs([](SearchConfig& config) { config.derived.channels = 48; }));
  EXPECT_TRUE(differs([](SearchConfig& config) { config.derived.image_side = 224; }));
  EXPECT_TRUE(differs([](SearchConfig& config) { config.derived.auxiliary ^= true; }));
  EXPECT_TRUE(differs([](SearchConfig& config) { config.depth_rule = DepthRule::kProportional; }));
}

}  // namespace
}  // namespace nas
