#include "nas/learning/sgd.h"

#include <cstddef>

#include "ATen/Parallel.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "gtest/gtest.h"
#include "torch/optim/sgd.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr int kParameters = 150;

// Parameters of many sizes, so that vectors and what they leave over both occur.
std::vector<at::Tensor> Parameters() {
  torch::manual_seed(1);
  std::vector<at::Tensor> parameters;
  for (int i = 0; i < kParameters; ++i) {
    parameters.push_back(at::randn({i % 7 + 1, i + 1}).set_requires_grad(true));
  }
  return parameters;
}

// One in five has none in the first step.
void SetGradients(const std::vector<at::Tensor>& parameters, int step) {
  torch::manual_seed(2 + step);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor gradient = at::randn(parameters[i].sizes());
    if (step > 0 || i % 5 != 0) parameters[i].mutable_grad() = gradient;
  }
}

TEST(SgdTest, GivesTheBitsOfLibTorchsOnAnyNumberOfThreads) {
  const int threads_before = at::get_num_threads();
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    for (const SgdOptions& options :
         {SgdOptions{}, SgdOptions{.momentum = 0.9}, SgdOptions{.weight_decay = 3e-4},
          SgdOptions{.momentum = 0.9, .weight_decay = 3e-4}}) {
      const std::vector<at::Tensor> ours = Parameters(), theirs = Parameters();
      std::vector<at::Tensor> buffers(kParameters);
      torch::optim::SGD sgd(theirs, torch::optim::SGDOptions(0.1)
                                        .momentum(options.momentum)
                                        .weight_decay(options.weight_decay));
      for (int step = 0; step < 4; ++step) {
        SetGradients(ours, step);
        SetGradients(theirs, step);
        SgdStep(ours, options, 0.1, buffers);
        sgd.step();
      }
      for (int i = 0; i < kParameters; ++i) {
        EXPECT_TRUE(at::equal(ours[i], theirs[i])) << i;
        EXPECT_TRUE(at::equal(ours[i].grad(), theirs[i].grad())) << i;
      }
    }
  }
  at::set_num_threads(threads_before);
}

TEST(SgdTest, ABufferIsNotTheGradient) {
  const std::vector<at::Tensor> parameters = Parameters();
  std::vector<at::Tensor> buffers(kParameters);
  SetGradients(parameters, 1);
  SgdStep(parameters, {.momentum = 0.9}, 0.1, buffers);
  const at::Tensor before = buffers[0].clone();
  parameters[0].mutable_grad().zero_();
  EXPECT_TRUE(at::equal(buffers[0], before));
}

}  // namespace
}  // namespace nas
