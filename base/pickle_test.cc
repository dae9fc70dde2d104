#include "base/pickle.h"

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::HasSubstr;
using Kind = PickleNode::Kind;

std::string Error(absl::string_view bytes) {
  return std::string(Pickle::Parse(bytes).status().message());
}

TEST(PickleTest, ReadsNumbersOfEverySign) {
  // pickle.dumps([-2, 300, 2**40, -2**40, 0.5, True, None], 2)
  constexpr char kBytes[] =
      "\x80\x02]q\x00(J\xfe\xff\xff\xffM,\x01\x8a\x06\x00\x00\x00\x00\x00\x01"
      "\x8a\x06\x00\x00\x00\x00\x00\xffG?\xe0\x00\x00\x00\x00\x00\x00\x88Ne.";
  const absl::string_view bytes(kBytes, sizeof(kBytes) - 1);
  const auto pickle = Pickle::Parse(bytes);
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->size(), bytes.size());
  const auto& items = pickle->root().items;
  ASSERT_EQ(items.size(), 7);
  EXPECT_EQ(items[0]->integer, -2);
  EXPECT_EQ(items[1]->integer, 300);
  EXPECT_EQ(items[2]->integer, int64_t{1} << 40);
  EXPECT_EQ(items[3]->integer, -(int64_t{1} << 40));
  EXPECT_EQ(items[4]->kind, Kind::kFloat);
  EXPECT_EQ(items[5]->kind, Kind::kBool);
  EXPECT_EQ(items[6]->kind, Kind::kNone);
}

TEST(PickleTest, CodeIsNamedAndNotRun) {
  const auto pickle = Pickle::Parse(
      "cos\nsystem\n(U\x05"
      "falsetR.");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->root().kind, Kind::kCall);
  EXPECT_EQ(pickle->root().items[0]->text, "os.system");
}

TEST(PickleTest, OrderedDictOfPython2HoldsItsPairs) {
  const auto pickle = Pickle::Parse(
      "ccollections\nOrderedDict\n(]](U\x01"
      "aK\x05"
      "eatR.");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  ASSERT_EQ(pickle->root().kind, Kind::kDict);
  ASSERT_EQ(pickle->root().items.size(), 2);
  EXPECT_EQ(pickle->root().items[0]->text, "a");
  EXPECT_EQ(pickle->root().items[1]->integer, 5);
}

TEST(PickleTest, AnObjectMayContainItself) {
  const auto pickle = Pickle::Parse(absl::string_view("]q\0h\0a.", 7));
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->root().items[0], &pickle->root());
}

// A list of many pairs, made a dict again and again.
TEST(PickleTest, CopiesOfAListAreNotMadeWithoutEnd) {
  std::string bytes = "]q\x01(";
  for (int i = 0; i < 20000; ++i) bytes += "NN\x86";
  bytes +=
      "e0ccollections\nOrderedDict\nq\x02"
      "0(";
  for (int i = 0; i < 20000; ++i) bytes += "h\x02h\x01\x85R";
  bytes += "t.";
  EXPECT_THAT(Error(bytes), HasSubstr("grows to more than 256 times its size"));
}

// A name of names, each twice as long as the one before.
TEST(PickleTest, NamesDoNotDoubleWithoutEnd) {
  std::string bytes = "X\x10\x27" + std::string(2, '\0') + std::string(10000, 'x') + "q\x01";
  for (int i = 0; i < 40; ++i) bytes += "h\x01h\x01\x93q\x01";
  EXPECT_THAT(Error(bytes + "."), HasSubstr("grows to more than 256 times its size"));
}

// The costliest operations of all, each of one byte.
TEST(PickleTest, SmallObjectsMayBeMany) {
  const std::string bytes = "(" + std::string(100000, 'N') + "t.";
  EXPECT_TRUE(Pickle::Parse(bytes).ok());
  std::string memoized;
  for (int i = 0; i < 100000; ++i) memoized += "N\x94";
  EXPECT_TRUE(Pickle::Parse("(" + memoized + "t.").ok());
}

TEST(PickleTest, DamageNamesTheByte) {
  EXPECT_EQ(Error(""), "pickle byte 0: ends inside an operation");
  EXPECT_EQ(Error("NX\xff"), "pickle byte 1: ends inside an operation");
  EXPECT_EQ(Error("cos"), "pickle byte 0: ends inside a line");
  EXPECT_EQ(Error("a."), "pickle byte 0: takes from an empty stack");
  EXPECT_EQ(Error("N(a."), "pickle byte 2: takes from an empty stack");
  EXPECT_EQ(Error("t."), "pickle byte 0: has no mark to go back to");
  EXPECT_EQ(Error("h\x07."), "pickle byte 0: recalls what it never stored");
  EXPECT_EQ(Error("NNa."), "pickle byte 2: adds to something that is no container");
  EXPECT_EQ(Error("}(Nu."), "pickle byte 3: has a key without a value");
  EXPECT_THAT(Error("\xff"), HasSubstr("operation 255 is none of plain data"));
}

}  // namespace
}  // namespace base
