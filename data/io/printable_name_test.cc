#include "data/io/printable_name.h"

#include "gtest/gtest.h"

namespace data {
namespace {

TEST(PrintableNameTest, Utf8StaysAsItIs) {
  for (const char* name : {"", "cat/1.jpg", "caf\u00e9", "\u732b", "\U0001f408", "a\\b"}) {
    EXPECT_EQ(PrintableName(name), name);
  }
}

TEST(PrintableNameTest, OtherBytesAndControlCharactersAreWrittenAsNumbers) {
  EXPECT_EQ(PrintableName("caf\xe9/1.jpg"), "caf\\xE9/1.jpg");
  EXPECT_EQ(PrintableName("a\nb\tc\x7f"), "a\\x0Ab\\x09c\\x7F");
  EXPECT_EQ(PrintableName("\xe7\x8c"), "\\xE7\\x8C");                    // cut
  EXPECT_EQ(PrintableName("\xc0\xaf"), "\\xC0\\xAF");                    // overlong
  EXPECT_EQ(PrintableName("\xed\xa0\x80"), "\\xED\\xA0\\x80");           // a surrogate
  EXPECT_EQ(PrintableName("\xf4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // beyond the last
  EXPECT_EQ(PrintableName("\xc2\x85"), "\\xC2\\x85");                    // a control character
}

}  // namespace
}  // namespace data
