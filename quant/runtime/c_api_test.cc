#include "quant/runtime/c_api.h"

#include <string>
#include <vector>

#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "quant/runtime/network.h"
#include "quant/runtime/packed_writer.h"
#include "quant/runtime/test_networks.h"

namespace quant::runtime {
namespace {

TEST(CApi, RunsAFile) {
  const std::string path = testing::TempDir() + "/network";
  const PackedNetwork packed = TestNetwork(1, {{2, 2}, {8, 8}});
  ASSERT_TRUE(WritePackedNetwork(path, packed).ok());
  char error[256] = "";
  nqdarts_network* network = nqdarts_open(path.c_str(), error, sizeof(error));
  ASSERT_NE(network, nullptr) << error;
  const nqdarts_info info = nqdarts_describe(network);
  EXPECT_EQ(info.height, 9);
  EXPECT_EQ(info.width, 10);
  ASSERT_EQ(info.classes, 5);
  EXPECT_STREQ(nqdarts_class_name(network, 4), "four");
  EXPECT_EQ(nqdarts_class_name(network, 5), nullptr);
  EXPECT_EQ(nqdarts_class_name(network, -1), nullptr);

  std::vector<uint8_t> pixels(2 * 9 * 10 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(91 * i);
  std::vector<float> logits(2 * 5), expected(2 * 5);
  EXPECT_EQ(nqdarts_run(network, pixels.data(), 2, logits.data()), 0);
  Network::Create(packed).value()->RunPixels(pixels.data(), 2, expected.data());
  EXPECT_EQ(logits, expected);
  nqdarts_close(network);
}

TEST(CApi, SaysWhyItDoesNot) {
  const std::string path = testing::TempDir() + "/none";
  char error[256] = "";
  EXPECT_EQ(nqdarts_open(path.c_str(), error, sizeof(error)), nullptr);
  EXPECT_THAT(error, testing::HasSubstr(path));
  char cut[8];
  EXPECT_EQ(nqdarts_open(path.c_str(), cut, sizeof(cut)), nullptr);
  EXPECT_EQ(std::string(cut), std::string(error).substr(0, 7));
  EXPECT_EQ(nqdarts_open(path.c_str(), nullptr, 0), nullptr);
  nqdarts_close(nullptr);
}

}  // namespace
}  // namespace quant::runtime
