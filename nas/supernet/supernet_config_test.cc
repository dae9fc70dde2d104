#include "nas/supernet/supernet_config.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Problem(const SupernetConfig& config) { return std::string(config.Check().message()); }

TEST(SupernetConfigTest, ThePresetsAreAllowed) {
  SupernetConfig config;
  EXPECT_EQ(Problem(config), "");
  config.bits = {32};
  EXPECT_EQ(Problem(config), "");
  config.images = ImageKind::kImageNet;
  config.partial_channels = 2;
  config.bits = {1, 2, 3, 4, 8};
  EXPECT_EQ(Problem(config), "");
}

// 6 / 4 is no number of channels, and in a reduction cell 12 / 4 cannot be halved.
TEST(SupernetConfigTest, ChannelsMustDivide) {
  SupernetConfig config;
  config.channels = 6;
  EXPECT_THAT(Problem(config), AllOf(HasSubstr("channels is 6"), HasSubstr("8, 12, 16")));
  config.channels = 4;  // A single channel's 1x1 weight has no standard deviation.
  EXPECT_THAT(Problem(config), HasSubstr("channels is 4"));
  config.images = ImageKind::kImageNet;
  config.partial_channels = 3;
  config.channels = 9;  // A factorized reduce of the first cell halves them.
  EXPECT_THAT(Problem(config), AllOf(HasSubstr("channels is 9"), HasSubstr("6, 12, 18")));
}

TEST(SupernetConfigTest, BitsMustBeKnownAndDistinct) {
  SupernetConfig config;
  config.bits = {2, 9};
  EXPECT_THAT(Problem(config), AllOf(HasSubstr("bits has 9"), HasSubstr("1 to 8 or 32")));
  config.bits = {2, 4, 2};
  EXPECT_THAT(Problem(config), HasSubstr("bits has 2 twice"));
  config.bits = {};
  EXPECT_THAT(Problem(config), HasSubstr("bits is empty"));
}

TEST(SupernetConfigTest, CountsMustBePositive) {
  EXPECT_THAT(Problem({.layers = 0}), HasSubstr("layers is 0"));
  EXPECT_THAT(Problem({.classes = -1}), HasSubstr("classes is -1"));
  EXPECT_THAT(Problem({.partial_channels = 1}), HasSubstr("partial_channels is 1"));
}

TEST(SupernetConfigTest, ImageSidesMustSurviveEveryHalving) {
  SupernetConfig config;
  EXPECT_TRUE(config.CheckImageSide(32).ok());
  EXPECT_THAT(std::string(config.CheckImageSide(30).message()),
              AllOf(HasSubstr("is 30"), HasSubstr("multiples of 4")));
  config.images = ImageKind::kImageNet;
  EXPECT_TRUE(config.CheckImageSide(224).ok());
  EXPECT_THAT(std::string(config.CheckImageSide(72).message()), HasSubstr("multiples of 32"));
}

}  // namespace
}  // namespace nas
