// One unit of a cell or of an operation, a sample at a time: ReLU (behind a batch normalization or
// not), quantizers, convolutions, and the sums that the batch normalization behind it needs.
#ifndef NAS_FUSED_UNIT_PASS_H_
#define NAS_FUSED_UNIT_PASS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "nas/fused/fused_kernels.h"
#include "nas/fused/normalization.h"
#include "nas/fused/unit_shape.h"

namespace nas::fused {

// What a unit reads of a sample.
template <typename T>
struct UnitInput {
  Planes<const T> x;
  int64_t height, width;
  Activation<T> activation;
};

// What its first and second convolution compute with.
template <typename T>
struct UnitConvs {
  std::array<const T*, 2> weights;  // Quantized.
  std::array<Mixture<T>, 2> mixtures;
};

// What kernels work in.
template <typename T>
Scratch<T>& ThreadScratch() {
  thread_local Scratch<T> scratch;
  return scratch;
}

// What the passes work in, beside it.
enum PassSlot { kPhase, kPhaseGradient, kLaneSums, kCombined, kUnwanted };
template <typename T>
T* PassScratch(PassSlot slot, int64_t size) {
  thread_local Scratch<T> scratch;
  return scratch.Get(slot, size);
}

// Joins the ranges of what the unit reads, before its activation; of a kReduce's two halves one
// after the other: the second one reads the input without its first row and column.
template <typename T>
void JoinInputRanges(const UnitShape& shape, const UnitInput<T>& input, T* ranges) {
  JoinRanges(shape.in, input.height * input.width, input.x, ranges);
  if (shape.kind != UnitKind::kReduce) return;
  for (int64_t c = 0; c < shape.in; ++c) {
    for (int64_t row = 1; row < input.height; ++row) {
      const T* x = input.x[c] + row * input.width + 1;
      JoinRanges(1, input.width - 1, Planes<const T>(x, 0), ranges + 2 * (shape.in + c));
    }
  }
}

// From ranges of what is read to those of what `activation` makes of it, by channel; a kReduce's
// halves have the same channels.
template <typename T>
void ActivateRanges(const Activation<T>& activation, int64_t channels, std::vector<T>& ranges) {
  for (size_t i = 0; i < ranges.size(); i += 2) {
    const int64_t c = static_cast<int64_t>(i / 2) % channels;
    T* const pair = &ranges[i];
    for (T* value : {pair, pair + 1}) {
      if (activation.scale != nullptr) *value = *value * activation.scale[c] + activation.shift[c];
      *value = std::max(*value, T(0));
    }
    // A negative scale exchanges them.
    if (pair[0] > pair[1]) std::swap(pair[0], pair[1]);
  }
}

template <typename T>
std::vector<T> FirstChannels(const std::vector<T>& ranges, int64_t channels) {
  return {ranges.begin(), ranges.begin() + std::min<int64_t>(2 * channels, ranges.size())};
}
template <typename T>
std::vector<T> LastChannels(const std::vector<T>& ranges, int64_t channels) {
  return {ranges.end() - std::min<int64_t>(2 * channels, ranges.size()), ranges.end()};
}

// What the depthwise convolution of a kSeparable unit gives, planes back to back, where the unit's
// output will be, which has at least as many channels.
template <typename T>
void UnitDepthwise(const UnitShape& shape, const UnitInput<T>& input, const UnitConvs<T>& convs,
                   T* y) {
  DepthwiseForward({input.height, input.width, shape.kernel, shape.dilation, shape.stride},
                   shape.in, input.x, input.activation, convs.mixtures[0], convs.weights[0], y,
                   ThreadScratch<T>());
}

// y: [out, height / stride, width / stride], where what UnitDepthwise gives may be already; adds to
// sums, kChannelSums by channel.
template <typename T>
void UnitForward(const UnitShape& shape, const UnitInput<T>& input, const UnitConvs<T>& convs,
                 bool has_depthwise, T* y, double* sums) {
  Scratch<T>& scratch = ThreadScratch<T>();
  const int64_t size = (input.height / shape.stride) * (input.width / shape.stride);
  switch (shape.kind) {
    case UnitKind::kSeparable:
      if (!has_depthwise) UnitDepthwise(shape, input, convs, y);
      PointwiseForward(shape.in, shape.out, size, Planes<const T>(y, size),
                       Activation<T>{.relu = false}, convs.mixtures[1], convs.weights[1], y, sums,
                       scratch);
      return;
    case UnitKind::kPointwise:
      PointwiseForward(shape.in, shape.out, size, input.x, input.activation, convs.mixtures[0],
                       convs.weights[0], y, sums, scratch);
      return;
    case UnitKind::kReduce: {
      const int64_t half = shape.out / 2;
      T* phase = PassScratch<T>(kPhase, shape.in * size);
      for (int odd = 0; odd < 2; ++odd) {
        GatherPhase(shape.in, input.height, input.width, odd, input.x, phase);
        PointwiseForward(shape.in, half, size, Planes<const T>(phase, size), input.activation,
                         convs.mixtures[odd], convs.weights[odd], y + odd * half * size,
                         sums + kChannelSums * odd * half, scratch);
      }
      return;
    }
  }
}

// From the gradient of the normalization behind the unit to that of the activation before it: into
// gx, added to what it holds if accumulate. norm_sums as PointwiseBackward's, for kSeparable alone,
// or null. sums: those of the depthwise weights if kSeparable; those of both pointwise convolutions
// of a kReduce back to back.
template <typename T>
void UnitBackward(const UnitShape& shape, const UnitInput<T>& input, const UnitConvs<T>& convs,
                  const NormalizationGradient<T>& gradient, const Planes<T>& gx, bool accumulate,
                  double* norm_sums, const WeightGradients<T>& sums) {
  Scratch<T>& scratch = ThreadScratch<T>();
  const int64_t in_size = input.height * input.width;
  const int64_t size = (input.height / shape.stride) * (input.width / shape.stride);
  switch (shape.kind) {
    case UnitKind::kSeparable:
      SeparableBackward({input.height, input.width, shape.kernel, shape.dilation, shape.stride},
                        shape.in, shape.out, input.x, input.activation, convs.mixtures[0],
                        convs.weights[0], convs.mixtures[1], convs.weights[1], gradient, gx,
                        accumulate, norm_sums, sums, scratch);
      return;
    case UnitKind::kPointwise: {
      PointwiseBackward(shape.in, shape.out, size, input.x, input.activation, convs.mixtures[0],
                        convs.weights[0], gradient, gx, accumulate, norm_sums, sums.pointwise,
                        sums.probabilities[0], scratch);
      return;
    }
    case UnitKind::kReduce: {
      if (!accumulate) {
        for (int64_t c = 0; c < shape.in; ++c) std::fill_n(gx[c], in_size, T(0));
      }
      const int64_t half = shape.out / 2;
      T* phase = PassScratch<T>(kPhase, shape.in * size);
      T* phase_gradient = PassScratch<T>(kPhaseGradient, shape.in * size);
      for (int odd = 0; odd < 2; ++odd) {
        const int64_t first = odd * half;
        NormalizationGradient<T> part = gradient;
        part.g += first * gradient.g_stride;
        part.y += first * size;
        part.direct += first;
        part.slope += first;
        part.constant += first;
        T* pointwise = sums.pointwise;
        if (pointwise != nullptr) pointwise += first * shape.in * PointwiseLanes<T>(shape.in);
        GatherPhase(shape.in, input.height, input.width, odd, input.x, phase);
        PointwiseBackward(shape.in, half, size, Planes<const T>(phase, size), input.activation,
                          convs.mixtures[odd], convs.weights[odd], part,
                          Planes<T>(phase_gradient, size),
                          /*accumulate=*/false, static_cast<double*>(nullptr), pointwise,
                          sums.probabilities[odd], scratch);
        ScatterPhase(shape.in, input.height, input.width, odd, phase_gradient, gx);
      }
      return;
    }
  }
}

// The sums of weight gradients of one task for one unit; added to `weights` ([first_weights() +
// second_weights()], null: not wanted) at the end.
template <typename T>
class UnitWeightSums {
 public:
  UnitWeightSums(const UnitShape& shape, double* weights) : shape_(shape), weights_(weights) {
    if (weights == nullptr) return;
    const int64_t depthwise = DepthwiseWeights() * kLanes<T>;
    const int64_t size =
        depthwise + (shape.weights() - DepthwiseWeights()) * PointwiseLanes<T>(shape.in);
    sums.depthwise = PassScratch<T>(kLaneSums, size);
    sums.pointwise = sums.depthwise + depthwise;
    std::fill_n(sums.depthwise, size, T(0));
  }
  ~UnitWeightSums() {
    if (weights_ == nullptr) return;
    const int64_t depthwise = DepthwiseWeights(), pointwise = shape_.weights() - depthwise;
    AddLanes<T>(depthwise, kLanes<T>, sums.depthwise, weights_);
    AddLanes<T>(pointwise, PointwiseLanes<T>(shape_.in), sums.pointwise, weights_ + depthwise);
  }
  UnitWeightSums(const UnitWeightSums&) = delete;
  UnitWeightSums& operator=(const UnitWeightSums&) = delete;

  WeightGradients<T> sums;

 private:
  int64_t DepthwiseWeights() const {
    return shape_.kind == UnitKind::kSeparable ? shape_.first_weights() : 0;
  }
  const UnitShape shape_;
  double* const weights_;
};

}  // namespace nas::fused

#endif  // NAS_FUSED_UNIT_PASS_H_
