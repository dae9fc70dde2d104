#include "quant/post_training.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "ATen/TensorOperators.h"
#include "ATen/ops/abs.h"
#include "ATen/ops/clamp.h"
#include "ATen/ops/exp.h"
#include "ATen/ops/floor.h"
#include "ATen/ops/kthvalue.h"
#include "ATen/ops/log.h"
#include "ATen/ops/sign.h"
#include "ATen/ops/tanh.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace quant {
namespace {

double NumSteps(int64_t bits) { return std::ldexp(1.0, static_cast<int>(bits)) - 1; }

at::Tensor RoundHalfUp(const at::Tensor& x) { return at::floor(x + 0.5); }

at::Tensor QuantizeMinMax(const at::Tensor& x, int64_t bits) {
  if (bits == 1) return at::sign(x) - 1;
  const double low = x.min().item<double>();
  const double range = x.max().item<double>() - low;
  if (range == 0) return x.clone();
  const double steps = NumSteps(bits);
  return RoundHalfUp((x - low) / range * steps) / steps * range + low;
}

at::Tensor QuantizeLog(const at::Tensor& x, int64_t bits) {
  constexpr double kNoLogOfZero = 1e-20;
  if (bits == 1) return at::sign(x);
  return at::exp(QuantizeMinMax(at::log(at::abs(x) + kNoLogOfZero), bits - 1)) * at::sign(x);
}

at::Tensor QuantizeTanh(const at::Tensor& x, int64_t bits) {
  if (bits == 1) return at::sign(x);
  const double steps = NumSteps(bits);
  const at::Tensor level = RoundHalfUp((at::tanh(x) + 1.0) / 2 * steps) / steps * 2 - 1;
  const double outermost = 1 - 1 / (2 * steps);
  const at::Tensor clamped = at::clamp(level, -outermost, outermost);
  return 0.5 * at::log((1.0 + clamped) / (1.0 - clamped));  // artanh
}

}  // namespace

absl::StatusOr<PostTraining> ParsePostTraining(absl::string_view name) {
  if (name == "linear") return PostTraining::kLinear;
  if (name == "minmax") return PostTraining::kMinMax;
  if (name == "log") return PostTraining::kLog;
  if (name == "tanh") return PostTraining::kTanh;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown method '", name, "'; expected linear, minmax, log or tanh"));
}

int64_t IntegralBits(const at::Tensor& x, double overflow_rate) {
  constexpr double kNoLogOfZero = 1e-12;
  CHECK(overflow_rate >= 0 && overflow_rate < 1) << overflow_rate;
  const int64_t dropped = static_cast<int64_t>(overflow_rate * static_cast<double>(x.numel()));
  const at::Tensor magnitudes = at::abs(x).flatten();
  const double largest =
      dropped == 0 ? magnitudes.max().item<double>()
                   : std::get<0>(at::kthvalue(magnitudes, x.numel() - dropped)).item<double>();
  return static_cast<int64_t>(std::ceil(std::log2(largest + kNoLogOfZero)));
}

at::Tensor QuantizeFixedPoint(const at::Tensor& x, int64_t scale, int64_t bits) {
  if (bits == 1) return at::sign(x) - 1;
  const double step = std::ldexp(1.0, static_cast<int>(-scale));
  const double bound = std::ldexp(1.0, static_cast<int>(bits) - 1);
  return at::clamp(RoundHalfUp(x / step), -bound, bound - 1) * step;
}

at::Tensor QuantizePostTraining(const at::Tensor& x, PostTraining method, int64_t bits,
                                double overflow_rate) {
  CHECK_GE(bits, 1);
  switch (method) {
    case PostTraining::kLinear:
      return QuantizeFixedPoint(x, bits - 1 - IntegralBits(x, overflow_rate), bits);
    case PostTraining::kMinMax:
      return QuantizeMinMax(x, bits);
    case PostTraining::kLog:
      return QuantizeLog(x, bits);
    case PostTraining::kTanh:
      return QuantizeTanh(x, bits);
  }
  LOG(FATAL) << "unknown method";
}

void CalibratedQuantizer::Observe(const at::Tensor& x) {
  if (method_ != PostTraining::kLinear) return;
  const int64_t wanted = bits_ - 1 - IntegralBits(x, overflow_rate_);
  scale_ = std::min(scale_.value_or(wanted), wanted);
}

at::Tensor CalibratedQuantizer::Quantize(const at::Tensor& x) const {
  if (method_ != PostTraining::kLinear) return QuantizePostTraining(x, method_, bits_);
  CHECK(scale_.has_value());
  return QuantizeFixedPoint(x, *scale_, bits_);
}

}  // namespace quant
