#include "data/loader/split.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Classes of 100, 10 and 1 samples, mixed.
std::vector<int64_t> Labels() {
  std::vector<int64_t> labels(111, 0);
  for (int i = 0; i < 10; ++i) labels[7 + 11 * i] = 1;
  labels[50] = 2;
  return labels;
}

std::vector<int> CountsByClass(const std::vector<int64_t>& labels,
                               const std::vector<int64_t>& part) {
  std::vector<int> counts(3);
  for (const int64_t i : part) ++counts[labels[i]];
  return counts;
}

TEST(StratifiedSplitTest, EveryPartHasItsShareOfEveryClass) {
  const std::vector<int64_t> labels = Labels();
  const auto parts = StratifiedSplit(labels, {0.5, 0.3, 0.1}, /*seed=*/1);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 3);
  EXPECT_THAT(CountsByClass(labels, (*parts)[0]), ElementsAre(50, 5, 1));
  EXPECT_THAT(CountsByClass(labels, (*parts)[1]), ElementsAre(30, 3, 0));
  EXPECT_THAT(CountsByClass(labels, (*parts)[2]), ElementsAre(10, 1, 0));
}

TEST(StratifiedSplitTest, PartsAreDisjointAndCoverAllIfTheFractionsDo) {
  const auto parts = StratifiedSplit(Labels(), {0.6, 0.4}, /*seed=*/1);
  ASSERT_TRUE(parts.ok()) << parts.status();
  std::set<int64_t> all;
  for (const std::vector<int64_t>& part : *parts) {
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    for (const int64_t i : part) EXPECT_TRUE(all.insert(i).second) << i;
  }
  EXPECT_EQ(all.size(), 111);
}

TEST(StratifiedSplitTest, TheSeedDecides) {
  const auto split = [](uint64_t seed) { return *StratifiedSplit(Labels(), {0.5, 0.5}, seed); };
  EXPECT_EQ(split(1), split(1));
  EXPECT_NE(split(1), split(2));
}

// A tenth of the samples at most stands alone in its run, where classes are mixed.
TEST(StratifiedSplitTest, RunsStayTogether) {
  constexpr int64_t kRun = 32, kCount = 64000, kClasses = 10;
  std::vector<int64_t> labels(kCount);
  for (int64_t i = 0; i < kCount; ++i) labels[i] = i * 7919 % 10007 % kClasses;
  const auto parts = StratifiedSplit(labels, {0.5, 0.3}, /*seed=*/1, kRun);
  const auto singly = StratifiedSplit(labels, {0.5, 0.3}, /*seed=*/1);
  ASSERT_TRUE(parts.ok() && singly.ok());
  std::set<int64_t> all;
  for (size_t part = 0; part < 2; ++part) {
    std::vector<int64_t> counts(kClasses), expected(kClasses), of_run(kCount / kRun);
    for (const int64_t i : (*parts)[part]) {
      EXPECT_TRUE(all.insert(i).second) << i;
      ++counts[labels[i]];
      ++of_run[i / kRun];
    }
    for (const int64_t i : (*singly)[part]) ++expected[labels[i]];
    EXPECT_EQ(counts, expected);
    const auto broken = std::count_if(of_run.begin(), of_run.end(),
                                      [](int64_t count) { return count > 0 && count < kRun / 2; });
    EXPECT_LT(broken, kCount / kRun / 10);
  }
  EXPECT_NE(*StratifiedSplit(labels, {0.5, 0.3}, 2, kRun), *parts);
}

TEST(StratifiedSplitTest, RunsOfFewSamplesOfAClass) {
  const auto parts = StratifiedSplit(Labels(), {0.5, 0.3, 0.1}, /*seed=*/1, /*run_samples=*/32);
  ASSERT_TRUE(parts.ok()) << parts.status();
  EXPECT_THAT(CountsByClass(Labels(), (*parts)[0]), ElementsAre(50, 5, 1));
  EXPECT_THAT(CountsByClass(Labels(), (*parts)[1]), ElementsAre(30, 3, 0));
  EXPECT_THAT(CountsByClass(Labels(), (*parts)[2]), ElementsAre(10, 1, 0));
}

TEST(StratifiedSplitTest, FractionsThatMakeNoSenseAreNamed) {
  const auto error = [](std::vector<double> fractions) {
    return std::string(StratifiedSplit(Labels(), fractions, 1).status().message());
  };
  EXPECT_THAT(error({0.5, 0}), HasSubstr("0 is not positive"));
  EXPECT_THAT(error({0.5, -1}), HasSubstr("-1 is not positive"));
  EXPECT_THAT(error({0.5, 0.75}), HasSubstr("1.25"));
}

}  // namespace
}  // namespace data
