#include "data/loader/field_column.h"

#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

absl::Span<const uint8_t> Bytes(const char* text) {
  return {reinterpret_cast<const uint8_t*>(text), std::strlen(text)};
}

TEST(FieldColumnTest, BytesAreEachSamplesAndMayBeMissing) {
  FieldColumn column;
  for (int round = 0; round < 2; ++round) {
    column.Reset({"json"}, 4);
    column.Set(0, Bytes("a"));
    column.Set(2, Bytes(""));
    column.Set(3, Bytes("d"));
    EXPECT_THAT(column.bytes(), ElementsAre(Optional(std::string("a")), std::nullopt,
                                            Optional(std::string()), Optional(std::string("d"))));
    column.Move(3, 1);
    column.Truncate(2);
    EXPECT_THAT(column.bytes(),
                ElementsAre(Optional(std::string("a")), Optional(std::string("d"))));
    EXPECT_TRUE(column.numbers().empty());
  }
}

TEST(FieldColumnTest, NumbersLieSampleBehindSample) {
  FieldColumn column;
  column.Reset({"x", FieldType::kInt16, {1}}, 3);
  column.Set(2, Bytes("ef"));
  column.Set(0, Bytes("ab"));
  EXPECT_THAT(column.numbers(), ElementsAre('a', 'b', 0, 0, 'e', 'f'));
  column.Move(2, 1);
  column.Truncate(2);
  EXPECT_THAT(column.numbers(), ElementsAre('a', 'b', 'e', 'f'));
  EXPECT_TRUE(column.bytes().empty());
}

}  // namespace
}  // namespace data
