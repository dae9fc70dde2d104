// The operators on a CUDA device compute what they compute on the CPU. Skipped without a device.

#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/Context.h"
#include "ATen/TensorOperators.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/softmax.h"
#include "gtest/gtest.h"
#include "quant/quantizers.h"

namespace quant {
namespace {

using Bits = std::vector<int64_t>;

class QuantizersCudaTest : public testing::TestWithParam<Bits> {
 protected:
  void SetUp() override {
    if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
  }

  void Draw(at::ScalarType type) {
    at::Generator generator = at::detail::createCPUGenerator(11);
    x_ = at::randn({9, 6, 31, 33}, generator, type);
    const int64_t candidates = GetParam().size();
    probs_ = at::softmax(at::randn({candidates}, generator, type), 0);
    grad_y_ = at::randn(x_.sizes(), generator, type);
  }

  at::Tensor x_, probs_, grad_y_;
};

TEST_P(QuantizersCudaTest, LatticesAgree) {
  Draw(at::kFloat);
  for (const at::Tensor& x : {x_, at::relu(x_)}) {
    for (const Role role : {Role::kActivation, Role::kWeight}) {
      for (const EightBit eight_bit : kEightBits) {
        const at::Tensor expected = MakeLattices(x, GetParam(), role, eight_bit);
        const at::Tensor actual = MakeLattices(x.cuda(), GetParam(), role, eight_bit).cpu();
        EXPECT_TRUE(at::allclose(actual, expected, 1e-6, 0));
      }
    }
  }
}

TEST_P(QuantizersCudaTest, MixturesAgree) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Draw(type);
    for (const EightBit eight_bit : kEightBits) {
      const int64_t dim = LatticeDim(Role::kActivation, eight_bit);
      const at::Tensor lattices = MakeLattices(x_, GetParam(), Role::kActivation, eight_bit);
      const at::Tensor x = x_.clone().set_requires_grad(true);
      const at::Tensor probs = probs_.clone().set_requires_grad(true);
      const at::Tensor y = MixedQuantize(x, probs, lattices, dim);
      (y * grad_y_).sum().backward();

      const at::Tensor device_x = x_.cuda().set_requires_grad(true);
      const at::Tensor device_probs = probs_.cuda().set_requires_grad(true);
      const at::Tensor device_y = MixedQuantize(device_x, device_probs, lattices.cuda(), dim);
      (device_y * grad_y_.cuda()).sum().backward();

      EXPECT_TRUE(at::equal(device_y.detach().cpu(), y.detach()));
      EXPECT_TRUE(at::equal(device_x.grad().cpu(), x.grad()));
      const double tolerance = type == at::kFloat ? 1e-5 : 1e-12;
      EXPECT_TRUE(at::allclose(device_probs.grad().cpu(), probs.grad(), tolerance, 1e-3));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizersCudaTest,
                         testing::Values(Bits{2}, Bits{2, 4}, Bits{2, 4, 8},
                                         Bits{1, 2, 3, 4, 5, 6, 7, 8, 32}));

}  // namespace
}  // namespace quant
