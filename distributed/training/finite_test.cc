#include "distributed/training/finite.h"

#include <cmath>
#include <limits>

#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/scalar_tensor.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

TEST(FiniteTest, MetricsAreNamed) {
  const auto metric = [](double value, int64_t count = 1) {
    return Metric{at::scalar_tensor(value), count};
  };
  EXPECT_TRUE(RequireFinite(Metrics{{"loss", metric(1)}, {"empty", metric(NAN, 0)}}).ok());
  EXPECT_EQ(RequireFinite(Metrics{{"a", metric(1)}, {"loss", metric(NAN)}}).message(),
            "loss is nan");
  EXPECT_EQ(RequireFinite(Metrics{{"loss", metric(HUGE_VAL)}}).message(), "loss is inf");
  EXPECT_EQ(RequireFinite(std::map<std::string, double>{{"loss", -HUGE_VAL}}).message(),
            "loss is -inf");
}

TEST(FiniteTest, TensorsAreNamed) {
  base::TensorMap state = {
      {"count", at::ones({2}, at::kLong)},
      {"empty", at::zeros({0})},
      // Their sum is no number any more, they are.
      {"large", at::full({4}, std::numeric_limits<double>::max(), at::kDouble)},
      {"weights", at::ones({2, 3})}};
  EXPECT_TRUE(RequireFinite(state).ok());
  state["weights"].select(0, 1).select(0, 1).fill_(NAN);
  state["weights"].select(0, 0).select(0, 2).fill_(HUGE_VAL);
  EXPECT_EQ(RequireFinite(state).message(), "2 of the 6 numbers of weights are not finite");
}

}  // namespace
}  // namespace distributed
