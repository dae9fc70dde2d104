#include "data/remote/content_range.h"

#include "gtest/gtest.h"

namespace data {
namespace {

TEST(ContentRangeTest, BytesOfAnObject) {
  const auto range = ParseContentRange(" bytes 7-9/18446744073709551615\r\n");
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->none);
  EXPECT_EQ(range->first, 7);
  EXPECT_EQ(range->last, 9);
  EXPECT_EQ(range->size, ~uint64_t{0});
}

TEST(ContentRangeTest, NoneOfThem) {
  const auto range = ParseContentRange("bytes */0");
  ASSERT_TRUE(range);
  EXPECT_TRUE(range->none);
  EXPECT_EQ(range->size, 0);
}

TEST(ContentRangeTest, WhatMeansNothing) {
  for (const char* text : {"", "bytes", "bytes 1-2", "bytes 1-2/*", "bytes 2-1/9", "bytes 1-9/9",
                           "lines 1-2/9", "bytes -2/9", "bytes 1-/9", "bytes 1-2/9x"}) {
    EXPECT_FALSE(ParseContentRange(text)) << text;
  }
}

}  // namespace
}  // namespace data
