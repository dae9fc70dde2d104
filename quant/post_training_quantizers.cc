#include "quant/post_training_quantizers.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "ATen/TensorOperators.h"
#include "ATen/ops/abs.h"
#include "ATen/ops/aminmax.h"
#include "ATen/ops/clamp.h"
#include "ATen/ops/kthvalue.h"
#include "ATen/ops/sign.h"
#include "ATen/ops/tanh.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace quant {
namespace {

double NumSteps(int64_t bits) { return std::ldexp(1.0, static_cast<int>(bits)) - 1; }

// In place, as all that follows a tensor's first copy here: layers' outputs are large.
at::Tensor& RoundHalfUp(at::Tensor& x) { return x.add_(0.5).floor_(); }

struct Range {
  double low, high;
};

Range RangeOf(const at::Tensor& x) {
  const auto [low, high] = at::aminmax(x);
  return {low.item<double>(), high.item<double>()};
}

at::Tensor QuantizeMinMax(const at::Tensor& x, int64_t bits, Range range) {
  if (bits == 1) return at::sign(x) - 1;
  const double width = range.high - range.low;
  at::Tensor y = at::clamp(x, range.low, range.high);
  if (width == 0) return y;
  const double steps = NumSteps(bits);
  y.sub_(range.low).div_(width).mul_(steps);
  return RoundHalfUp(y).div_(steps).mul_(width).add_(range.low);
}

at::Tensor LogMagnitude(const at::Tensor& x) {
  constexpr double kNoLogOfZero = 1e-20;
  return at::abs(x).add_(kNoLogOfZero).log_();
}

// `range` is that of LogMagnitude.
at::Tensor QuantizeLog(const at::Tensor& x, int64_t bits, Range range) {
  if (bits == 1) return at::sign(x);
  return QuantizeMinMax(LogMagnitude(x), bits - 1, range).exp_().mul_(at::sign(x));
}

at::Tensor QuantizeTanh(const at::Tensor& x, int64_t bits) {
  if (bits == 1) return at::sign(x);
  const double steps = NumSteps(bits);
  const double outermost = 1 - 1 / (2 * steps);
  at::Tensor level = at::tanh(x).add_(1.0).div_(2).mul_(steps);
  RoundHalfUp(level).div_(steps).mul_(2).sub_(1).clamp_(-outermost, outermost);
  at::Tensor rest = 1.0 - level;
  return level.add_(1.0).div_(rest).log_().mul_(0.5);  // artanh
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
  double largest;
  if (dropped == 0) {
    const Range range = RangeOf(x);
    largest = std::max(std::abs(range.low), std::abs(range.high));
  } else {
    const at::Tensor magnitudes = at::abs(x).flatten();
    largest = std::get<0>(at::kthvalue(magnitudes, x.numel() - dropped)).item<double>();
  }
  return static_cast<int64_t>(std::ceil(std::log2(largest + kNoLogOfZero)));
}

at::Tensor QuantizeFixedPoint(const at::Tensor& x, int64_t scale, int64_t bits) {
  if (bits == 1) return at::sign(x) - 1;
  const double step = std::ldexp(1.0, static_cast<int>(-scale));
  const double bound = std::ldexp(1.0, static_cast<int>(bits) - 1);
  at::Tensor levels = x / step;
  return RoundHalfUp(levels).clamp_(-bound, bound - 1).mul_(step);
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
