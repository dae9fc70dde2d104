// Quantizers of a trained network's tensors, without training and without gradients (the baseline
// of PTQ/cnn/test_modified_imagenet.py).
//
//   at::Tensor w = QuantizePostTraining(weight, PostTraining::kLinear, /*bits=*/8);
//
//   CalibratedQuantizer quantizer(PostTraining::kLinear, /*bits=*/8);
//   quantizer.Observe(y);                       // a few batches of a layer's output
//   at::Tensor q = quantizer.Quantize(y);
//
// Tensors are float32 or float64 of any shape; a NaN stays one.
#ifndef QUANT_POST_TRAINING_QUANTIZERS_H_
#define QUANT_POST_TRAINING_QUANTIZERS_H_

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace quant {

enum class PostTraining {
  kLinear,  // Fixed point: a signed integer times a power of two.
  kMinMax,  // Equal steps from the smallest to the largest value.
  kLog,     // kMinMax with a bit less on the logarithm of the magnitude; the sign is kept.
  kTanh,    // Equal steps on tanh(x) from −1 to 1.
};

// "linear", "minmax", "log" or "tanh"; InvalidArgument, naming these, for anything else.
absl::StatusOr<PostTraining> ParsePostTraining(absl::string_view name);

// ceil(log2(v + 1e-12)), v = the largest magnitude once the fraction `overflow_rate`, in [0, 1), of
// the largest ones is dropped: how many bits the integral part of the rest takes. x is not empty.
int64_t IntegralBits(const at::Tensor& x, double overflow_rate);

// clamp(floor(x·2^scale + 1/2), −2^(bits−1), 2^(bits−1) − 1)·2^−scale.
at::Tensor QuantizeFixedPoint(const at::Tensor& x, int64_t scale, int64_t bits);

// x, which is not empty, on levels found from x itself: bits − 1 − IntegralBits(x, overflow_rate)
// is kLinear's scale. A constant x is a level of kMinMax and kLog (published: 0/0). kTanh's outer
// levels, where artanh is infinite, stand for the middle of the values that round to them. The one
// bit of kLinear, of kMinMax and of the magnitude in a 2-bit kLog has no levels in between: as
// published, it is sign(x) − 1; of kTanh and kLog, sign(x).
at::Tensor QuantizePostTraining(const at::Tensor& x, PostTraining method, int64_t bits,
                                double overflow_rate = 0);

// Quantizes a stream of tensors, such as a layer's outputs, on the levels that the observed ones
// asked for: kLinear's scale is the smallest, kMinMax's and kLog's range the union. Without an
// Observe kMinMax and kLog see each tensor anew, as published; kTanh always does.
class CalibratedQuantizer {
 public:
  CalibratedQuantizer(PostTraining method, int64_t bits, double overflow_rate = 0)
      : method_(method), bits_(bits), overflow_rate_(overflow_rate) {}

  void Observe(const at::Tensor& x);

  // kLinear wants an Observe, or a set_calibration, before. Values beyond the range become its
  // ends.
  at::Tensor Quantize(const at::Tensor& x) const;

  // Whether levels can be observed at all.
  bool calibrates() const { return method_ != PostTraining::kTanh; }

  // What several quantizers of one stream, each of which has seen a part of it, take the least of,
  // element by element: kLinear's scale, or the range's lower and negated upper end. Infinite while
  // nothing has been observed.
  using Calibration = std::array<double, 2>;
  static constexpr Calibration kNothingObserved = {std::numeric_limits<double>::infinity(),
                                                   std::numeric_limits<double>::infinity()};
  const Calibration& calibration() const { return calibration_; }
  void set_calibration(const Calibration& calibration) { calibration_ = calibration; }

  // kLinear's. Absent if nothing was observed, and for other methods.
  std::optional<int64_t> scale() const;

 private:
  bool observed() const { return calibration_ != kNothingObserved; }

  PostTraining method_;
  int64_t bits_;
  double overflow_rate_;
  Calibration calibration_ = kNothingObserved;
};

}  // namespace quant

#endif  // QUANT_POST_TRAINING_QUANTIZERS_H_
