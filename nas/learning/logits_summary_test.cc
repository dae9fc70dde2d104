#include "nas/learning/logits_summary.h"

#include <limits>

#include "ATen/ops/full.h"
#include "ATen/ops/tensor.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

class Logits : public torch::nn::Module {
 public:
  Logits() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    register_parameter("betas", at::tensor({0.1F, kInfinity, -2.0F}));
    register_parameter("alphas", at::full({2, 3}, 1.0 / 3));
    register_parameter("gammas", at::full({2, 1, 2}, 1e-9));
  }
};

TEST(LogitsSummaryTest, NestsByShapeAndRounds) {
  const Logits logits;
  EXPECT_EQ(LogitsSummary({&logits}).dump(),
            R"({"alphas":[[0.333333,0.333333,0.333333],[0.333333,0.333333,0.333333]],)"
            R"("betas":[0.1,null,-2.0],"gammas":[[[1e-09,1e-09]],[[1e-09,1e-09]]]})");
}

}  // namespace
}  // namespace nas
