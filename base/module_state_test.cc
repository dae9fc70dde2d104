#include "base/module_state.h"

#include <limits>
#include <string>

#include "ATen/ops/equal.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "torch/nn/modules/batchnorm.h"

namespace base {
namespace {

using ::testing::HasSubstr;

std::string Problem(const TensorMap& state, const TensorMap& into) {
  return std::string(CopyState(state, into).message());
}

TEST(ModuleStateTest, HoldsParametersAndBuffersAndAliases) {
  torch::nn::BatchNorm2d module(2);
  const TensorMap state = ModuleState(*module);
  EXPECT_EQ(state.size(), 5);
  TensorMap other = ModuleState(*torch::nn::BatchNorm2d(2));
  other.at("running_mean").fill_(3);
  ASSERT_TRUE(CopyState(other, state).ok());
  EXPECT_TRUE(at::equal(module->running_mean, other.at("running_mean")));
}

TEST(ModuleStateTest, ErrorsNameTheTensorAndChangeNothing) {
  const TensorMap into = {{"a", at::zeros({2, 3})}, {"b", at::zeros({2})}};
  EXPECT_THAT(Problem({{"a", at::ones({2, 3})}}, into), HasSubstr("b [2] is missing"));
  EXPECT_THAT(Problem({{"a", at::ones({2, 3})}, {"b", at::ones({3})}}, into),
              HasSubstr("b has shape [3], expected [2]"));
  EXPECT_THAT(Problem({{"a", at::ones({2, 3})}, {"b", at::ones({2})}, {"c", at::ones({})}}, into),
              HasSubstr("c [] is unknown"));
  at::Tensor bad = at::ones({2, 3});
  bad[1][2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Problem({{"a", bad}, {"b", at::ones({2})}}, into), HasSubstr("a[1, 2] is nan"));
  EXPECT_EQ(into.at("b").sum().item<float>(), 0);
}

}  // namespace
}  // namespace base
