#include "base/crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace base {
namespace {

// RFC 3720, B.4.
TEST(Crc32cTest, PublishedExamples) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AA);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  EXPECT_EQ(Crc32c(rising), 0x46DD794E);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283);
  EXPECT_EQ(Crc32c(""), 0);
}

}  // namespace
}  // namespace base
