#include "tools/flags/flag_ranges.h"

#include <cmath>
#include <limits>
#include <string>

#include "gflags/gflags.h"
#include "gtest/gtest.h"
#include "tools/flags/flag_registry.h"

DEFINE_double(rate, 0.5, "A number.");
FLAG_RANGE(rate, tools::AboveTo(0, 1));
DEFINE_int64(count, 3, "A whole number.");
FLAG_RANGE(count, tools::FromTo(1, 8));
DEFINE_uint64(any, 0, "As large as it may be.");
FLAG_RANGE(any, tools::AtLeast(0));

namespace tools {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(RangeTest, BoundsCountAsTheySay) {
  EXPECT_TRUE(FromTo(1, 2).Contains(1) && FromTo(1, 2).Contains(2));
  EXPECT_FALSE(FromTo(1, 2).Contains(0.999) || FromTo(1, 2).Contains(2.001));
  EXPECT_TRUE(FromBelow(0, 1).Contains(0));
  EXPECT_FALSE(FromBelow(0, 1).Contains(1));
  EXPECT_FALSE(AboveTo(0, 1).Contains(0));
  EXPECT_TRUE(AboveTo(0, 1).Contains(1));
  EXPECT_TRUE(AtLeast(0).Contains(0) && AtLeast(0).Contains(1e300));
  EXPECT_FALSE(Above(0).Contains(0));
}

TEST(RangeTest, NothingThatIsNotFiniteIsInAnyRange) {
  for (const Range& range :
       {FromTo(-1, 1), FromBelow(-1, 1), AboveTo(-1, 1), AtLeast(-1), Above(-1)}) {
    for (const double value : {std::nan(""), kInf, -kInf}) EXPECT_FALSE(range.Contains(value));
  }
}

TEST(RangeTest, SaysWhatItIs) {
  EXPECT_EQ(FromTo(1, kMany).ToString(), "from 1 to 1000000000");
  EXPECT_EQ(FromBelow(0, 1).ToString(), "from 0 to below 1");
  EXPECT_EQ(AboveTo(0, 0.5).ToString(), "above 0 to 0.5");
  EXPECT_EQ(AtLeast(-1).ToString(), "-1 or more");
  EXPECT_EQ(Above(0).ToString(), "above 0");
}

TEST(CheckValuesTest, NamesTheFlagItsValueAndTheRange) {
  const gflags::FlagSaver saver;
  EXPECT_TRUE(CheckValues().ok());
  FLAGS_any = std::numeric_limits<uint64_t>::max();
  EXPECT_TRUE(CheckValues().ok());
  FLAGS_rate = kInf;
  EXPECT_EQ(CheckValues().message(), "--rate=inf: must be a number above 0 to 1");
  FLAGS_rate = 1;
  FLAGS_count = 9;
  EXPECT_EQ(CheckValues().message(), "--count=9: must be a whole number from 1 to 8");
}

}  // namespace
}  // namespace tools
