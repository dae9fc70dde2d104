#include "quant/post_training_quantizers.h"

#include <cmath>
#include <tuple>

#include "ATen/TensorOperators.h"
#include "ATen/ops/_unique.h"
#include "ATen/ops/abs.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/sign.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"

namespace quant {
namespace {

constexpr PostTraining kMethods[] = {PostTraining::kLinear, PostTraining::kMinMax,
                                     PostTraining::kLog, PostTraining::kTanh};

int64_t NumLevels(const at::Tensor& x) { return std::get<0>(at::_unique(x)).numel(); }

TEST(PostTraining, IntegralBitsCoverTheLargestMagnitude) {
  const at::Tensor x = at::tensor({0.3, -5.0, 2.0, 4.0});
  EXPECT_EQ(IntegralBits(x, 0), 3);     // 5 < 2^3
  EXPECT_EQ(IntegralBits(x, 0.25), 3);  // 4 + 1e-12 > 2^2
  EXPECT_EQ(IntegralBits(x, 0.5), 2);   // 2 + 1e-12 > 2^1
  EXPECT_EQ(IntegralBits(x, 0.75), -1);
  EXPECT_EQ(IntegralBits(at::zeros({3}), 0), -39);
}

TEST(PostTraining, FixedPointRoundsHalvesUpAndSaturates) {
  const at::Tensor x = at::tensor({-9.0, -0.75, -0.25, 0.25, 0.75, 9.0});
  const at::Tensor expected = at::tensor({-4.0, -0.5, 0.0, 0.5, 1.0, 3.5});
  EXPECT_TRUE(at::equal(QuantizeFixedPoint(x, /*scale=*/1, /*bits=*/4), expected));
}

TEST(PostTraining, MinMaxKeepsTheEndsAndUsesEveryLevel) {
  const at::Tensor x = at::linspace(-3, 5, 1000, at::kDouble);
  const at::Tensor y = QuantizePostTraining(x, PostTraining::kMinMax, 3);
  EXPECT_EQ(NumLevels(y), 8);
  EXPECT_DOUBLE_EQ(y.min().item<double>(), -3);
  EXPECT_DOUBLE_EQ(y.max().item<double>(), 5);
  EXPECT_LE(at::abs(y - x).max().item<double>(), 8.0 / 7 / 2 + 1e-12);
}

TEST(PostTraining, LogKeepsSignAndEndsOfTheMagnitude) {
  const at::Tensor x = at::tensor({-8.0, -1.0, 0.5, 4.0});
  const at::Tensor y = QuantizePostTraining(x, PostTraining::kLog, 4);
  EXPECT_TRUE(at::equal(at::sign(y), at::sign(x)));
  EXPECT_NEAR(y[0].item<double>(), -8, 1e-12);
  EXPECT_NEAR(y[2].item<double>(), 0.5, 1e-12);
}

TEST(PostTraining, TanhStaysFiniteWhereItSaturates) {
  const at::Tensor y = QuantizePostTraining(at::tensor({-50.0, 0.1, 50.0}), PostTraining::kTanh, 4);
  EXPECT_NEAR(y[2].item<double>(), std::atanh(1 - 1.0 / 30), 1e-12);
  EXPECT_DOUBLE_EQ(y[0].item<double>(), -y[2].item<double>());
}

TEST(PostTraining, ManyBitsApproachTheIdentityInBothTypes) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    const at::Tensor x = at::linspace(0.1, 2, 100, dtype);
    for (const PostTraining method : kMethods) {
      const at::Tensor y = QuantizePostTraining(x, method, 16);
      EXPECT_EQ(y.scalar_type(), dtype);
      EXPECT_TRUE(at::allclose(y, x, /*rtol=*/0, /*atol=*/5e-4)) << static_cast<int>(method);
      EXPECT_FALSE(at::equal(QuantizePostTraining(x, method, 4), x)) << static_cast<int>(method);
    }
  }
}

TEST(PostTraining, AConstantTensorStaysFinite) {
  for (const PostTraining method : kMethods) {
    for (const double value : {0.0, 2.5}) {
      const at::Tensor y = QuantizePostTraining(at::full({4}, value, at::kDouble), method, 4);
      EXPECT_TRUE(at::isfinite(y).all().item<bool>()) << static_cast<int>(method) << " " << value;
    }
  }
}

TEST(PostTraining, CalibrationKeepsTheScaleOfTheLargestBatch) {
  CalibratedQuantizer quantizer(PostTraining::kLinear, 8);
  EXPECT_FALSE(quantizer.scale().has_value());
  quantizer.Observe(at::tensor({0.4}));
  EXPECT_EQ(quantizer.scale(), 8);
  quantizer.Observe(at::tensor({3.0}));
  quantizer.Observe(at::tensor({0.4}));
  EXPECT_EQ(quantizer.scale(), 5);
  EXPECT_DOUBLE_EQ(quantizer.Quantize(at::tensor({100.0})).item<double>(), 127.0 / 32);
}

TEST(PostTraining, CalibrationKeepsTheRangeOfAllBatches) {
  CalibratedQuantizer quantizer(PostTraining::kMinMax, 2);
  quantizer.Observe(at::tensor({-1.0, 0.5}));
  quantizer.Observe(at::tensor({0.0, 2.0}));
  EXPECT_TRUE(at::allclose(quantizer.Quantize(at::tensor({-5.0, 0.4, 1.6, 9.0})),
                           at::tensor({-1.0, 0.0, 2.0, 2.0})));
  CalibratedQuantizer logarithmic(PostTraining::kLog, 2 + 1);
  logarithmic.Observe(at::tensor({-1.0, 8.0}));
  EXPECT_TRUE(at::allclose(logarithmic.Quantize(at::tensor({-0.1, 2.1, -100.0})),
                           at::tensor({-1.0, 2.0, -8.0})));
}

TEST(PostTraining, NamesTheMethods) {
  EXPECT_EQ(ParsePostTraining("log").value(), PostTraining::kLog);
  EXPECT_EQ(ParsePostTraining("Log").status().message(),
            "unknown method 'Log'; expected linear, minmax, log or tanh");
}

}  // namespace
}  // namespace quant
