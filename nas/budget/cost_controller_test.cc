#include "nas/budget/cost_controller.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

// Tests say themselves how far the cost is off.
constexpr CostTarget kTarget = {.bit_ops = 1};

// The bits of a search's convolutions without the convolutions: pairs of logits over 2 and 4 bits
// for activations and weights, trained by SGD with momentum as gammas are. The cross-entropy is a
// random push of its own, with noise, on each of them.
class BitSearch {
 public:
  // `push`: the standard deviation of the cross-entropy's gradients, whose mean is in favour of
  // high bits.
  BitSearch(double push, int64_t steps) : push_(push), steps_(steps) {
    for (Conv& conv : convs_) {
      conv.macs = std::exp(0.5 * normal_(random_));
      for (Logits& logits : conv.logits) {
        for (double& value : logits.value) value = 1e-3 * normal_(random_);
        logits.push = push_ * (normal_(random_) + 0.5);
      }
    }
  }

  void Step(int64_t step, double weight) {
    const double rate = 0.01 * (1 + std::cos(std::numbers::pi * step / steps_)) / 2;
    for (Conv& conv : convs_) {
      const std::array<double, 2> bits = {Expected(conv.logits[0]), Expected(conv.logits[1])};
      for (int i = 0; i < 2; ++i) {
        Logits& logits = conv.logits[i];
        const double p = HighProbability(logits);
        const double noise = 3 * push_ * normal_(random_);
        const double gradient =
            p * (1 - p) * (weight * conv.macs * 2 * bits[1 - i] - logits.push + noise);
        for (int high = 0; high < 2; ++high) {
          logits.momentum[high] = 0.9 * logits.momentum[high] + 1e-3 * logits.value[high] +
                                  (high == 1 ? gradient : -gradient);
          logits.value[high] -= rate * logits.momentum[high];
        }
      }
    }
  }

  // BitOps of the largest logits, as a part of the way from all 2 bits to all 4.
  double Cost() const {
    double cost = 0;
    for (const Conv& conv : convs_) {
      cost += conv.macs * Chosen(conv.logits[0]) * Chosen(conv.logits[1]);
    }
    return cost;
  }
  double Budget(double part) const {
    double macs = 0;
    for (const Conv& conv : convs_) macs += conv.macs;
    return macs * (4 + 12 * part);
  }

 private:
  struct Logits {
    std::array<double, 2> value, momentum = {};
    double push;
  };
  struct Conv {
    double macs;
    std::array<Logits, 2> logits;
  };

  static double HighProbability(const Logits& logits) {
    return 1 / (1 + std::exp(logits.value[0] - logits.value[1]));
  }
  static double Expected(const Logits& logits) { return 2 + 2 * HighProbability(logits); }
  static double Chosen(const Logits& logits) { return logits.value[1] > logits.value[0] ? 4 : 2; }

  double push_;
  int64_t steps_;
  std::mt19937 random_{7};
  std::normal_distribution<double> normal_;
  std::vector<Conv> convs_ = std::vector<Conv>(60);
};

TEST(CostControllerTest, MeetsAnyBudgetWhateverTheCrossEntropyPushes) {
  for (const int64_t steps : {200, 1200}) {
    for (const double push : {1e-6, 1e-4, 1e-2}) {
      for (const double part : {0.15, 0.4, 0.75}) {
        BitSearch search(push, steps);
        CostController controller(kTarget, /*decay=*/1e-4, steps);
        double worst_late = 0;
        for (int64_t step = 0; step < steps; ++step) {
          search.Step(step, controller.weight());
          const double excess = search.Cost() / search.Budget(part);
          controller.Observe(excess);
          if (step >= steps * 9 / 10) worst_late = std::max(worst_late, std::abs(excess - 1));
        }
        EXPECT_LT(worst_late, 0.1) << steps << " steps, push " << push << ", part " << part;
      }
    }
  }
}

TEST(CostControllerTest, AConstantWeightDoesNot) {
  BitSearch search(/*push=*/1e-2, /*steps=*/1200);
  for (int64_t step = 0; step < 1200; ++step) search.Step(step, 1e-4);
  EXPECT_GT(search.Cost() / search.Budget(0.15), 1.5);
}

TEST(CostControllerTest, PaysForBitsBelowTheBudget) {
  CostController controller(kTarget, /*decay=*/1e-4, /*steps=*/100);
  EXPECT_EQ(controller.weight(), 0);
  controller.Observe(1.2);
  EXPECT_GT(controller.weight(), 0);
  controller.Observe(0.8);
  EXPECT_LT(controller.weight(), 0);
}

TEST(CostControllerTest, AnUnreachableBudgetLeavesTheWeightFinite) {
  CostController controller(kTarget, /*decay=*/1e-4, /*steps=*/100);
  for (int i = 0; i < 100000; ++i) controller.Observe(1e9);
  EXPECT_LT(controller.weight(), 1e-4 * std::exp(24.0));
  for (int i = 0; i < 100; ++i) controller.Observe(0.5);
  EXPECT_LT(controller.weight(), 0);
}

TEST(CostControllerTest, ContinuesFromItsState) {
  CostController controller(kTarget, /*decay=*/1e-4, /*steps=*/100);
  controller.Observe(1.3);
  controller.Observe(1.1);
  base::TensorMap state;
  controller.AppendState(state);
  CostController resumed(kTarget, 1e-4, 100);
  ASSERT_TRUE(resumed.LoadState(state).ok());
  EXPECT_EQ(resumed.weight(), controller.weight());
  EXPECT_EQ(resumed.LoadState({}).message(),
            "optimizer/cost_controller: expected the two numbers of a cost controller");
  state.begin()->second = at::zeros({3});
  EXPECT_FALSE(resumed.LoadState(state).ok());
}

TEST(CostControllerTest, SaysNothingOfCostsBeforeItHasSeenOne) {
  CostController controller(kTarget, /*decay=*/1e-4, /*steps=*/100);
  nlohmann::json summary;
  controller.AppendSummary(summary);
  EXPECT_EQ(summary, nlohmann::json({{"complexity_weight", 0.0}}));
  controller.Observe(1.5);
  controller.AppendSummary(summary);
  EXPECT_EQ(summary.at("times_over_target"), 1.5);
}

TEST(CostControllerTest, WithoutABudgetTheWeightIsConstant) {
  CostController controller({}, 1e-4, 0);
  EXPECT_FALSE(controller.steers());
  EXPECT_EQ(controller.weight(), 1e-4);
  EXPECT_EQ(controller.gradient_clip(), 0);
  base::TensorMap state;
  controller.AppendState(state);
  EXPECT_TRUE(state.empty());
  EXPECT_TRUE(controller.LoadState(state).ok());
}

}  // namespace
}  // namespace nas
