// The arithmetic of one sample of a cell's operations on the CPU: plain pointers, vectors of
// Highway. T is float or double.
//
// Every sum is kept in 64 bytes' worth of lanes whatever the width of the machine's registers and
// every multiply-add rounds once, so that AVX2, AVX-512 and NEON give the same bits. NaN stays NaN.
#ifndef NAS_FUSED_FUSED_KERNELS_H_
#define NAS_FUSED_FUSED_KERNELS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "nas/fused/elementwise.h"

namespace nas::fused {

// Whether this processor runs the kernels: it multiplies and adds in one rounding (AVX2 or NEON).
bool KernelsAvailable();

// For tests: the instruction sets compiled in that this processor has, and to run one of them from
// now on; an empty name: the best again.
std::vector<std::string> KernelTargets();
void PinKernelTarget(const std::string& name);

// y = float_probability x + sum_i probability_i Q_i(x).
template <typename T>
struct Mixture {
  int count = 0;
  bool has_float = true;  // Else float_probability is not looked at.
  T float_probability = 1;
  const Candidate<T>* candidates = nullptr;  // Candidate i of channel c at [c * stride + i].
  int64_t channel_stride = 0;                // 0: all channels have the same.
};

// Depthwise convolution with padding that keeps the size at stride 1 and halves it at stride 2.
struct DepthwiseShape {
  int64_t height, width;  // Of the input; even at stride 2.
  int kernel;             // 3, 5 or 7.
  int dilation;           // 1 or 2.
  int stride;             // 1 or 2.

  int64_t out_height() const { return height / stride; }
  int64_t out_width() const { return width / stride; }
  bool operator==(const DepthwiseShape&) const = default;
};

// The planes of a sample by channel, `stride` apart: those of one tensor, or of several one after
// the other.
template <typename T>
struct Planes {
  struct Part {
    T* planes;
    int64_t channels;
  };
  absl::InlinedVector<Part, 4> parts;
  int64_t stride;

  Planes(T* planes, int64_t plane_stride)
      : parts{Part{planes, std::numeric_limits<int64_t>::max()}}, stride(plane_stride) {}
  Planes(absl::InlinedVector<Part, 4> of_parts, int64_t plane_stride)
      : parts(std::move(of_parts)), stride(plane_stride) {}

  T* operator[](int64_t channel) const {
    auto part = parts.begin();
    while (channel >= part->channels) channel -= (part++)->channels;
    return part->planes + channel * stride;
  }
};

// Memory that kernels work in; one per thread. Grows, and is never given back before its end.
template <typename T>
class Scratch {
 public:
  static constexpr int kSlots = 16;

  // Aligned; what it held before is lost.
  T* Get(int slot, int64_t size) {
    std::vector<T>& memory = memory_[slot];
    if (memory.size() < static_cast<size_t>(size) + kAlign) {
      memory.resize(size + kAlign);
      sizes_[slot] = 0;
    }
    const auto address = reinterpret_cast<uintptr_t>(memory.data());
    return reinterpret_cast<T*>((address + 63) / 64 * 64);
  }

  // Zeros, but where the last user of the slot wrote if that one asked for the same size and shape:
  // for padded planes, of which all users of a shape write the same part.
  T* GetZeroed(int slot, int64_t size, const DepthwiseShape& shape) {
    T* memory = Get(slot, size);
    if (sizes_[slot] != size || !(shapes_[slot] == shape)) std::fill_n(memory, size, T(0));
    sizes_[slot] = size;
    shapes_[slot] = shape;
    return memory;
  }

 private:
  static constexpr int64_t kAlign = 64;
  std::vector<T> memory_[kSlots];
  int64_t sizes_[kSlots] = {};
  DepthwiseShape shapes_[kSlots] = {};
};

// d = depthwise(mix(z(x))), planes of d back to back. weights: [channels, kernel, kernel].
template <typename T>
void DepthwiseForward(const DepthwiseShape& shape, int64_t channels, const Planes<const T>& x,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* d, Scratch<T>& scratch);

// Per channel: least and greatest of a plane, joined into ranges[2 c] and ranges[2 c + 1].
template <typename T>
void JoinRanges(int64_t channels, int64_t size, const Planes<const T>& x, T* ranges);

// y = W mix(z(x)), a 1x1 convolution: in planes of `size` to out planes, back to back. x may be y.
// weights: [out, in]. sums[2 o] += sum of y_o, sums[2 o + 1] += sum of its squares.
template <typename T>
void PointwiseForward(int64_t in, int64_t out, int64_t size, const Planes<const T>& x,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* y, double* sums, Scratch<T>& scratch);

// The gradient of a batch normalization's input: gy_o = direct_o g_o + slope_o y_o + constant_o.
template <typename T>
struct NormalizationGradient {
  const T* g;
  int64_t g_stride;
  const T* y;  // Back to back.
  const T* direct;
  const T* slope;
  const T* constant;
};

// A sum over pixels is kept in so many lanes,
template <typename T>
constexpr int kLanes = 64 / sizeof(T);
// but in one for the weights of pointwise convolutions of many channels, whose lanes would not stay
// in cache.
template <typename T>
constexpr int PointwiseLanes(int64_t in) {
  return in < 48 ? kLanes<T> : 1;
}

// What a task sums up.
template <typename T>
struct WeightGradients {
  T* pointwise = nullptr;  // [out, in, PointwiseLanes(in)]; null: not wanted.
  T* depthwise = nullptr;  // [channels, kernel, kernel, kLanes]; null: not wanted.
  // By mixture: [candidates, the float one last]; null: not wanted.
  std::array<double*, 2> probabilities = {};
};

// PointwiseForward's gradients: that of x into gx (added to what gx holds if accumulate).
// norm_sums[2 c] += sum of the gradient of z's argument, norm_sums[2 c + 1] += sum of it times x;
// null where z does not normalize, or where they are not wanted. weight_sums and probability_sums
// as in WeightGradients.
template <typename T>
void PointwiseBackward(int64_t in, int64_t out, int64_t size, const Planes<const T>& x,
                       const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                       const NormalizationGradient<T>& gradient, const Planes<T>& gx,
                       bool accumulate, double* norm_sums, T* weight_sums, double* probability_sums,
                       Scratch<T>& scratch);

// The gradients of DepthwiseForward and, on what it gives, without an activation,
// PointwiseForward: as PointwiseBackward's, with a mixture before each convolution.
template <typename T>
void SeparableBackward(const DepthwiseShape& shape, int64_t in, int64_t out,
                       const Planes<const T>& x, const Activation<T>& activation,
                       const Mixture<T>& first, const T* depthwise, const Mixture<T>& second,
                       const T* pointwise, const NormalizationGradient<T>& gradient,
                       const Planes<T>& gx, bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch);

// 3x3 pooling with padding 1 (its values do not count), stride 1 or 2; planes of y back to back.
template <typename T>
void PoolForward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                 int64_t x_stride, T* y, Scratch<T>& scratch);
// gx += the gradient; y: PoolForward's. A maximum's gradient goes to the first of equal values.
template <typename T>
void PoolBackward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                  int64_t x_stride, const T* y, const NormalizationGradient<T>& gradient, T* gx,
                  int64_t gx_stride, Scratch<T>& scratch);

// Even (odd = 0) or odd rows and columns of planes: [channels, height / 2, width / 2].
template <typename T>
void GatherPhase(int64_t channels, int64_t height, int64_t width, int odd, const Planes<const T>& x,
                 T* phase);
// gx += the gradient of GatherPhase.
template <typename T>
void ScatterPhase(int64_t channels, int64_t height, int64_t width, int odd, const T* phase,
                  const Planes<T>& gx);

// The greatest of every 2x2 pixels; x and y: planes back to back.
template <typename T>
void MaxOfSquares(int64_t channels, int64_t height, int64_t width, const T* x, T* y);
// gx += the gradient of MaxOfSquares, which goes to the first of equal values.
template <typename T>
void MaxOfSquaresBackward(int64_t channels, int64_t height, int64_t width, const T* x, const T* y,
                          const T* gy, T* gx);

// y = constant + sum_i coefficients[i] terms[i].
template <typename T>
void Combine(int64_t size, int count, const T* const* terms, const T* coefficients, T constant,
             T* y);

// sums[i] += the sum of the i-th `lanes` values, which are kLanes or 1.
template <typename T>
void AddLanes(int64_t count, int lanes, const T* values, double* sums);

template <typename T>
double Sum(int64_t size, const T* x);
template <typename T>
double Dot(int64_t size, const T* x, const T* y);

}  // namespace nas::fused

#endif  // NAS_FUSED_FUSED_KERNELS_H_
