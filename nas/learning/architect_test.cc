#include "nas/learning/architect.h"

#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

const AverageFunction kOneRank = [](auto, auto) { return absl::OkStatus(); };

at::Tensor Leaf(std::vector<double> values) {
  return at::tensor(values, at::kDouble).set_requires_grad(true);
}

// L_train = sum(a w²) / 2 and L_search = sum(w³) / 3 + sum(a²): everything has a closed form, and
// the finite difference is exact, since L_train's gradient in a is quadratic in w.
struct Toy {
  at::Tensor a = Leaf({0.5, 2.0});
  at::Tensor w = Leaf({1.0, -0.7});
  LookAhead look_ahead{.train_loss = [this] { return (a * w * w).sum() / 2; },
                       .variables = {w},
                       .learning_rate = 0.1,
                       .momentum = 0.9,
                       .weight_decay = 0.01};
  LossFunction search_loss = [this] { return (w * w * w).sum() / 3 + (a * a).sum(); };
};

TEST(ArchitectTest, FirstOrderIsThePartialDerivative) {
  Toy toy;
  const auto gradients = FirstOrderGradients(toy.search_loss, {toy.a}, kOneRank);
  ASSERT_TRUE(gradients.ok());
  EXPECT_TRUE(gradients->at(0).allclose(2 * toy.a));
}

TEST(ArchitectTest, SecondOrderEqualsItsClosedForm) {
  Toy toy;
  const at::Tensor buffer = at::tensor({0.3, -0.2}, at::kDouble);
  toy.look_ahead.momentum_buffers = {buffer};
  const auto gradients = SecondOrderGradients(toy.search_loss, {toy.a}, toy.look_ahead, kOneRank);
  ASSERT_TRUE(gradients.ok());
  const at::Tensor a = toy.a.detach(), w = toy.w.detach();
  const at::Tensor stepped = w - 0.1 * (0.9 * buffer + a * w + 0.01 * w);
  // d²L_train/(da dw) = w; v = w'².
  const at::Tensor expected = 2 * a - 0.1 * w * stepped * stepped;
  EXPECT_TRUE(gradients->at(0).allclose(expected, 1e-10, 1e-12));
}

TEST(ArchitectTest, NoMomentumBuffersBeforeTheFirstStep) {
  Toy toy;
  const auto none = SecondOrderGradients(toy.search_loss, {toy.a}, toy.look_ahead, kOneRank);
  toy.look_ahead.momentum_buffers = {at::Tensor()};
  const auto undefined = SecondOrderGradients(toy.search_loss, {toy.a}, toy.look_ahead, kOneRank);
  EXPECT_TRUE(at::equal(none->at(0), undefined->at(0)));
}

TEST(ArchitectTest, VariablesAreBackBitForBitAndLookAheadLeavesBuffersAlone) {
  Toy toy;
  const at::Tensor w = toy.w.detach().clone();
  at::Tensor counter = at::tensor({0.0}, at::kDouble);
  toy.look_ahead.buffers = {counter};
  const LossFunction train = toy.look_ahead.train_loss;
  toy.look_ahead.train_loss = [&] { return counter.add_(1), train(); };
  const LossFunction search = [&] { return counter.add_(100), toy.search_loss(); };
  ASSERT_TRUE(SecondOrderGradients(search, {toy.a}, toy.look_ahead, kOneRank).ok());
  EXPECT_TRUE(at::equal(toy.w, w));
  EXPECT_EQ(counter.item<double>(), 3);
}

TEST(ArchitectTest, AFailedAverageIsReturnedAndVariablesAreBack) {
  Toy toy;
  const at::Tensor w = toy.w.detach().clone();
  for (int failing = 0; failing < 3; ++failing) {
    int calls = 0;
    const AverageFunction average = [&](auto, auto) {
      return calls++ == failing ? absl::UnavailableError("rank 1 is gone") : absl::OkStatus();
    };
    const auto gradients = SecondOrderGradients(toy.search_loss, {toy.a}, toy.look_ahead, average);
    EXPECT_EQ(gradients.status().code(), absl::StatusCode::kUnavailable) << failing;
    EXPECT_TRUE(at::equal(toy.w, w)) << failing;
  }
}

// Two ranks, played one after the other: each averages with what the other one has at that point.
TEST(ArchitectTest, HalvesOfABatchAveragedGiveTheWholeBatch) {
  const at::Tensor x = at::tensor({0.3, -1.1, 0.8, 2.0}, at::kDouble);
  at::Tensor a = Leaf({0.5}), w = Leaf({0.7});
  const auto train = [&](const at::Tensor& batch) { return ((a * w * batch - 1).pow(2)).mean(); };
  const auto search = [&](const at::Tensor& batch) { return ((a + w * batch).pow(4)).mean(); };
  const auto gradient = [&](const at::Tensor& batch, const AverageFunction& average) {
    const LookAhead look_ahead{.train_loss = [&, batch] { return train(batch); },
                               .variables = {w},
                               .learning_rate = 0.1,
                               .momentum = 0.9,
                               .weight_decay = 0.01};
    return SecondOrderGradients([&, batch] { return search(batch); }, {a}, look_ahead, average)
        ->at(0);
  };
  const at::Tensor whole = gradient(x, kOneRank);

  // The averages of a pass over rank 0 are known once both ranks' terms are: fix them point by
  // point.
  std::vector<at::Tensor> averages;
  for (int point = 0; point < 3; ++point) {
    at::Tensor sum = at::zeros({1}, at::kDouble);
    for (const at::Tensor& half : {x.slice(0, 0, 2), x.slice(0, 2)}) {
      size_t call = 0;
      gradient(half, [&](auto, absl::Span<at::Tensor> gradients) {
        if (call < averages.size()) {
          gradients[0] = averages[call].clone();
        } else if (call == averages.size()) {
          sum += gradients[0] / 2;
        }
        ++call;
        return absl::OkStatus();
      });
    }
    averages.push_back(sum);
  }
  EXPECT_TRUE(averages.back().allclose(whole, 1e-12, 1e-14));
}

}  // namespace
}  // namespace nas
