#include "data/pixels/pixel_policy.h"

#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace data {
namespace {

constexpr int kSize = 32;

std::vector<uint8_t> Picture() {
  std::vector<uint8_t> bytes(3 * kSize * kSize);
  Random random(/*seed=*/9);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = 40 + i / 3 % kSize * 4 + random.Below(60);
  return bytes;
}

std::vector<uint8_t> Changed(const PixelPolicy& policy, uint64_t sample) {
  std::vector<uint8_t> bytes = Picture();
  Random random(/*seed=*/1, /*key1=*/0, sample);
  ScratchBuffer scratch;
  ApplyPixelPolicy(policy, random, {bytes.data(), kSize, kSize}, scratch);
  return bytes;
}

TEST(PixelPolicyTest, NoneChangesNothing) {
  EXPECT_FALSE(PixelPolicy().any());
  EXPECT_EQ(Changed({}, 1), Picture());
}

TEST(PixelPolicyTest, EachSampleIsChangedInAWayOfItsOwn) {
  for (const PixelPolicy& policy :
       {PixelPolicy{.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.2},
        PixelPolicy{.kind = PixelPolicy::Kind::kTrivialAugment},
        PixelPolicy{.kind = PixelPolicy::Kind::kRandAugment}}) {
    EXPECT_TRUE(policy.any());
    std::set<std::vector<uint8_t>> results;
    for (int sample = 0; sample < 200; ++sample) {
      results.insert(Changed(policy, sample));
      EXPECT_EQ(Changed(policy, sample), Changed(policy, sample));
    }
    EXPECT_GT(results.size(), 100);  // Some ops have no strength.
  }
}

TEST(PixelPolicyTest, RandAugmentOfMagnitude0MovesNoPixel) {
  // Left are those without a strength: autocontrast and equalize, and what solarize and posterize
  // leave alone at none.
  const PixelPolicy policy = {.kind = PixelPolicy::Kind::kRandAugment, .ops = 1, .magnitude = 0};
  std::set<std::vector<uint8_t>> results;
  for (int sample = 0; sample < 300; ++sample) results.insert(Changed(policy, sample));
  EXPECT_EQ(results.size(), 3);
}

TEST(PixelPolicyTest, WrongValuesAreNamed) {
  EXPECT_TRUE(CheckPixelPolicy({}).ok());
  EXPECT_EQ(CheckPixelPolicy({.contrast = -1}).message(), "augmentation: contrast: not 0 to 16");
  EXPECT_EQ(CheckPixelPolicy({.hue = 0.6}).message(), "augmentation: hue: not 0 to 0.5");
  EXPECT_EQ(CheckPixelPolicy({.ops = 0}).message(), "augmentation: ops: not 1 to 16");
  EXPECT_EQ(CheckPixelPolicy({.magnitude = 31}).message(), "augmentation: magnitude: not 0 to 30");
}

}  // namespace
}  // namespace data
