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
#ifndef QUANT_POST_TRAINING_H_
#define QUANT_POST_TRAINING_H_

#include <cstdint>
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

// Quantizes a stream of tensors, such as a layer's outputs. kLinear's scale is the smallest that an
// observed tensor asked for; the other methods see each tensor anew.
class CalibratedQuantizer {
 public:
  CalibratedQuantizer(PostTraining method, int64_t bits, double overflow_rate = 0)
      : method_(method), bits_(bits), overflow_rate_(overflow_rate) {}

  void Observe(const at::Tensor& x);

  // kLinear wants an Observe, or a set_scale, before.
  at::Tensor Quantize(const at::Tensor& x) const;

  // Absent if nothing was observed, or nothing needed to be.
  std::optional<int64_t> scale() const { return scale_; }
  void set_scale(int64_t scale) { scale_ = scale; }

 private:
  PostTraining method_;
  int64_t bits_;
  double overflow_rate_;
  std::optional<int64_t> scale_;
};

}  // namespace quant

#endif  // QUANT_POST_TRAINING_H_
