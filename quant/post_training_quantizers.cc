#include "quant/post_training_quantizers.h"

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

struct Range {
  double low, high;
};

Range RangeOf(const at::Tensor& x) { return {x.min().item<double>(), x.max().item<double>()}; }

at::Tensor QuantizeMinMax(const at::Tensor& x, int64_t bits, Range range) {
  if (bits == 1) return at::sign(x) - 1;
  const double width = range.high - range.low;
  if (width == 0) return at::clamp(x, range.low, range.high);
  const double steps = NumSteps(bits);
  const at::Tensor within = at::clamp(x, range.low, range.high);
  return RoundHalfUp((within - range.low) / width * steps) / steps * width + range.low;
}

at::Tensor LogMagnitude(const at::Tensor& x) {
  constexpr double kNoLogOfZero = 1e-20;
  return at::log(at::abs(x) + kNoLogOfZero);
}

// `range` is that of LogMagnitude.
at::Tensor QuantizeLog(const at::Tensor& x, int64_t bits, Range range) {
  if (bits == 1) return at::sign(x);
  return at::exp(QuantizeMinMax(LogMagnitude(x), bits - 1, range)) * at::sign(x);
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
      return QuantizeMinMax(x, bits, RangeOf(x));
    case PostTraining::kLog:
      return QuantizeLog(x, bits, RangeOf(LogMagnitude(x)));
    case PostTraining::kTanh:
      return QuantizeTanh(x, bits);
  }
  LOG(FATAL) << "unknown method";
}

void CalibratedQuantizer::Observe(const at::Tensor& x) {
  Calibration wanted = kNothingObserved;
  switch (method_) {
    case PostTraining::kLinear:
      wanted.fill(static_cast<double>(bits_ - 1 - IntegralBits(x, overflow_rate_)));
      break;
    case PostTraining::kMinMax:
    case PostTraining::kLog: {
      const Range range = RangeOf(method_ == PostTraining::kLog ? LogMagnitude(x) : x);
      wanted = {range.low, -range.high};
      break;
    }
    case PostTraining::kTanh:
      return;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    calibration_[i] = std::min(calibration_[i], wanted[i]);
  }
}

at::Tensor CalibratedQuantizer::Quantize(const at::Tensor& x) const {
  if (method_ == PostTraining::kLinear) {
    CHECK(observed());
    return QuantizeFixedPoint(x, *scale(), bits_);
  }
  if (!observed()) return QuantizePostTraining(x, method_, bits_);
  const Range range = {calibration_[0], -calibration_[1]};
  return method_ == PostTraining::kLog ? QuantizeLog(x, bits_, range)
                                       : QuantizeMinMax(x, bits_, range);
}

std::optional<int64_t> CalibratedQuantizer::scale() const {
  if (method_ != PostTraining::kLinear || !observed()) return std::nullopt;
  return static_cast<int64_t>(calibration_[0]);
}

}  // namespace quant
