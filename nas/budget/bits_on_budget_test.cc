#include "nas/budget/bits_on_budget.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

struct Best {
  double loss = std::numeric_limits<double>::infinity();
  int64_t cost = 0;
};

// By trying all.
Best TryAll(const std::vector<std::string>& tensors,
            const std::vector<std::vector<BitsOption>>& options, int64_t budget) {
  Best best;
  std::vector<size_t> choice(options.size(), 0);
  while (true) {
    int64_t cost = 0;
    double loss = 0;
    std::map<std::string, std::set<int64_t>> widths;
    for (size_t i = 0; i < options.size(); ++i) {
      const BitsOption& option = options[i][choice[i]];
      cost += option.cost;
      loss += option.loss;
      widths[tensors[i]].insert(option.bits.activation);
    }
    const bool agree = std::all_of(widths.begin(), widths.end(),
                                   [](const auto& group) { return group.second.size() == 1; });
    if (agree && cost <= budget && (loss < best.loss || (loss == best.loss && cost < best.cost))) {
      best = {loss, cost};
    }
    size_t i = 0;
    while (i < choice.size() && ++choice[i] == options[i].size()) choice[i++] = 0;
    if (i == choice.size()) return best;
  }
}

TEST(BitsOnBudgetTest, FindsWhatTryingAllFinds) {
  std::mt19937 random(1);
  int feasible = 0;
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<std::string> tensors;
    std::vector<std::vector<BitsOption>> options;
    int64_t most = 0;
    for (int conv = 0; conv < 6; ++conv) {
      // As many readers of a tensor as the trial says.
      tensors.push_back(std::to_string(conv / (1 + trial % 3)));
      const int64_t macs = 1 + random() % 7;
      options.emplace_back();
      for (const int64_t a : {2, 4}) {
        for (const int64_t w : {2, 4}) {
          // Multiples of 1/8, whose sums are exact; some are negative, some alike.
          const double loss = (static_cast<int64_t>(random() % 64) - 8) / 8.0;
          options.back().push_back({{a, w}, macs * a * w, loss});
        }
      }
      most += macs * 16;
    }
    for (const int64_t budget : {most / 4, most / 2, most - 1, most}) {
      const Best best = TryAll(tensors, options, budget);
      const auto found = BitsOnBudget(tensors, options, budget);
      ASSERT_TRUE(found.ok()) << found.status();
      double loss = 0;
      int64_t cost = 0;
      for (size_t i = 0; i < found->size(); ++i) {
        for (const BitsOption& option : options[i]) {
          if (option.bits == (*found)[i]) loss += option.loss, cost += option.cost;
        }
      }
      EXPECT_EQ(loss, best.loss) << trial;
      EXPECT_EQ(cost, best.cost) << trial;
      ++feasible;
    }
    EXPECT_FALSE(BitsOnBudget(tensors, options, most / 4 - 1).ok());
  }
  EXPECT_EQ(feasible, 240);
}

TEST(BitsOnBudgetTest, ABudgetOutOfReachIsNamed) {
  const auto found = BitsOnBudget({"a", "b"}, {{{{2, 2}, 40, 0}}, {{{2, 2}, 60, 0}}}, 99);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(found.status().message(), "the cheapest bits cost 100, more than 99");
}

}  // namespace
}  // namespace nas
