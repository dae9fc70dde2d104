// The convolutions of a unit (nas/fused/unit_shape.h) for one sample, as stages of a kernel's body.
#ifndef NAS_DEVICE_UNIT_STAGES_H_
#define NAS_DEVICE_UNIT_STAGES_H_

#include <cstdint>

#include "nas/device/mixture.h"
#include "nas/device/team.h"
#include "nas/fused/unit_shape.h"

namespace nas::device {

using fused::UnitKind;
using fused::UnitShape;

// A unit as kernels see it.
template <typename T>
struct UnitArgs {
  UnitShape shape;
  int height, width;  // Of the input.
  const T* x;         // Of the first sample; planes back to back,
  int64_t x_sample;   // and samples so far apart.
  Activation<T> activation;
  const T* weights[2];  // Quantized, by convolution.
  Mixture<T> mixtures[2];
  T* y;  // [N, out, height / stride, width / stride]

  NAS_DEVICE int in() const { return static_cast<int>(shape.in); }
  NAS_DEVICE int out() const { return static_cast<int>(shape.out); }
  NAS_DEVICE int in_size() const { return height * width; }
  NAS_DEVICE int out_height() const { return height / shape.stride; }
  NAS_DEVICE int out_width() const { return width / shape.stride; }
  NAS_DEVICE int size() const { return out_height() * out_width(); }
  NAS_DEVICE const T* Input(int64_t sample) const { return x + sample * x_sample; }
  NAS_DEVICE T* Output(int64_t sample) const { return y + sample * out() * size(); }
};

// How many channels of so many values a stage takes at once.
NAS_DEVICE constexpr int ChannelsAtOnce(int channels, int values) {
  return Greatest(1, Least(channels, kDataValues / values));
}
// How many pixels, of so many values; 0: not even a few.
NAS_DEVICE constexpr int PixelsAtOnce(int values) {
  const int fit = kDataValues / values;
  return fit >= 16 ? Least(fit / 16 * 16, 256) : fit / 4 * 4;
}

// Depthwise convolution: where the taps of an output lie in a plane of the input.
template <int kKernel>
struct TapsOf {
  int height, width;  // Of the input.
  int dilation, stride;

  NAS_DEVICE int pad() const { return dilation * (kKernel - 1) / 2; }

  // The output at row r, column c: sums as the CPU's kernels order them.
  template <typename T>
  NAS_DEVICE T Convolve(const T* plane, const T* weights, int r, int c) const {
    T sum = 0;
    for (int u = 0; u < kKernel; ++u) {
      const int row = r * stride + u * dilation - pad();
      if (row < 0 || row >= height) continue;
      for (int t = 0; t < kKernel; ++t) {
        const int column = c * stride + t * dilation - pad();
        if (column < 0 || column >= width) continue;
        sum += weights[u * kKernel + t] * plane[row * width + column];
      }
    }
    return sum;
  }

  // The gradient of the input at row r, column c, from the output's.
  template <typename T>
  NAS_DEVICE T InputGradient(const T* gradient, const T* weights, int r, int c) const {
    T sum = 0;
    for (int u = 0; u < kKernel; ++u) {
      const int row = r + pad() - u * dilation;
      if (row < 0 || row % stride != 0 || row / stride >= height / stride) continue;
      for (int t = 0; t < kKernel; ++t) {
        const int column = c + pad() - t * dilation;
        if (column < 0 || column % stride != 0 || column / stride >= width / stride) continue;
        sum = MulAdd(weights[u * kKernel + t],
                     gradient[row / stride * (width / stride) + column / stride], sum);
      }
    }
    return sum;
  }

  // What output p adds to the gradient of tap k.
  template <typename T>
  NAS_DEVICE T WeightGradient(const T* plane, const T* gradient, int k, int p) const {
    const int row = p / (width / stride) * stride + k / kKernel * dilation - pad();
    const int column = p % (width / stride) * stride + k % kKernel * dilation - pad();
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    return gradient[p] * plane[row * width + column];
  }
};

// Calls body(TapsOf) of a kSeparable unit.
template <typename T, typename Body>
NAS_DEVICE void WithTaps(const UnitArgs<T>& unit, const Body& body) {
  const int dilation = unit.shape.dilation, stride = unit.shape.stride;
  switch (unit.shape.kernel) {
    case 3:
      return body(TapsOf<3>{unit.height, unit.width, dilation, stride});
    case 5:
      return body(TapsOf<5>{unit.height, unit.width, dilation, stride});
    default:
      return body(TapsOf<7>{unit.height, unit.width, dilation, stride});
  }
}

// mix(z(x)) of channels [first, first + channels) into `quantized`, planes back to back.
template <typename T, typename Team>
NAS_DEVICE void QuantizePlanes(const Team& team, const UnitArgs<T>& unit, int64_t sample, int first,
                               int channels, T* quantized) {
  const int size = unit.in_size();
  const T* const x = unit.Input(sample) + first * size;
  team.ForEach(channels * size, [&](int i) {
    const int c = first + i / size;
    quantized[i] = unit.mixtures[0].Mixed(c, Activated(unit.activation, c, x[i]));
  });
}

// d = depthwise(mix(z(x))), [in, size].
template <typename T, typename Team>
NAS_DEVICE void DepthwiseStage(const Team& team, const UnitArgs<T>& unit, int64_t sample, T* d,
                               T* shared) {
  T* const planes = shared + kLaneValues;
  const int size = unit.size(), in_size = unit.in_size(), out_width = unit.out_width();
  const int at_once = ChannelsAtOnce(unit.in(), in_size);
  for (int first = 0; first < unit.in(); first += at_once) {
    const int channels = Least(at_once, unit.in() - first);
    QuantizePlanes(team, unit, sample, first, channels, planes);
    WithTaps(unit, [&](auto taps) {
      const int count = unit.shape.kernel * unit.shape.kernel;
      team.ForEach(channels * size, [&](int i) {
        const int c = i / size, p = i % size;
        d[first * size + i] =
            taps.Convolve(planes + c * in_size, unit.weights[0] + (first + c) * count,
                          p / out_width, p % out_width);
      });
    });
  }
}

// A 1x1 convolution, every stride-th pixel of x from (offset, offset) on.
template <typename T>
struct Pointwise {
  int in, out;
  int size, out_width;  // Of the output.
  const T* x;
  int x_size, x_width;  // Of the input.
  int stride, offset;
  Activation<T> activation;
  Mixture<T> mixture;
  const T* weights;  // [out, in]

  NAS_DEVICE int Source(int p) const {
    if (stride == 1) return p;
    return (p / out_width * stride + offset) * x_width + p % out_width * stride + offset;
  }
};

// The one of a unit: of a kSeparable that behind `d`, which the depthwise convolution gave; of a
// kReduce that of even (half 0) or odd pixels.
template <typename T>
NAS_DEVICE Pointwise<T> PointwiseOf(const UnitArgs<T>& unit, int64_t sample, int half, const T* d) {
  Pointwise<T> result{unit.in(),
                      unit.out(),
                      unit.size(),
                      unit.out_width(),
                      unit.Input(sample),
                      unit.in_size(),
                      unit.width,
                      1,
                      0,
                      unit.activation,
                      unit.mixtures[half],
                      unit.weights[half]};
  switch (unit.shape.kind) {
    case UnitKind::kSeparable:
      result.x = d;
      result.x_size = result.size;
      result.x_width = result.out_width;
      result.activation = {nullptr, nullptr, /*relu=*/false};
      result.mixture = unit.mixtures[1];
      result.weights = unit.weights[1];
      break;
    case UnitKind::kReduce:
      result.out /= 2;
      result.stride = 2;
      result.offset = half;
      break;
    case UnitKind::kPointwise:
      break;
  }
  return result;
}

// y = W mix(z(x)), [out, size]; y may be x.
template <typename T, typename Team>
NAS_DEVICE void PointwiseStage(const Team& team, const Pointwise<T>& conv, T* y, T* shared) {
  T* const quantized = shared + kLaneValues;
  const int at_once = PixelsAtOnce(conv.in);
  for (int first = 0; first < conv.size; first += at_once) {
    const int pixels = Least(at_once, conv.size - first);
    team.ForEach(conv.in * pixels, [&](int i) {
      const int c = i / pixels, p = first + i % pixels;
      const T given = conv.x[c * conv.x_size + conv.Source(p)];
      quantized[i] = conv.mixture.Mixed(c, Activated(conv.activation, c, given));
    });
    team.ForEach(conv.out * pixels, [&](int i) {
      const int o = i / pixels, p = i % pixels;
      T sum = 0;
      for (int c = 0; c < conv.in; ++c) {
        sum += conv.weights[o * conv.in + c] * quantized[c * pixels + p];
      }
      y[o * conv.size + first + p] = sum;
    });
  }
}

// The gradient of a unit's output: direct_o g + slope_o y + constant_o (nas/fused/normalization.h).
template <typename T>
struct OutputGradient {
  const T* g;  // Of the first sample; planes so far apart:
  int64_t g_sample, g_plane;
  const T *direct, *slope, *constant;
};

// Where a unit's sums of one sample go; null: not wanted.
struct UnitSums {
  double* weights[2];     // By convolution.
  double* probabilities;  // [candidates + 1], the float one last; of both convolutions.
};

// probabilities[i] += sum of the gradients times choice i, of values `given` before the activation:
// channel(e) and given(e) of the e-th of `count`.
template <typename T, typename Team, typename Channel, typename Given>
NAS_DEVICE void AddProbabilities(const Team& team, const Activation<T>& activation,
                                 const Mixture<T>& mixture, int count, const T* gradients,
                                 const Channel& channel, const Given& given, T* shared,
                                 double* probabilities) {
  if (probabilities == nullptr) return;
  AddInLanes(
      team, mixture.choices(), count,
      [&](int i, int e) {
        const T value = Activated(activation, channel(e), given(e));
        return gradients[e] * mixture.Choice(channel(e), i, value);
      },
      shared, probabilities);
}

// From the gradient of the mixture's output to that of x.
template <typename T>
NAS_DEVICE T ThroughMixture(const Activation<T>& activation, const Mixture<T>& mixture, int channel,
                            T given, T gradient) {
  const T argument = Argument(activation, channel, given);
  const T result = gradient * mixture.Slope(channel, Activated(activation, argument));
  return activation.relu && !(argument > 0) ? T(0) : result;
}

// PointwiseStage's gradients: of x into gx, at the pixels that it read; null: not wanted. y: the
// output's planes, g: those of its gradient, of this sample. first: of the output's channels in
// `gradient`.
template <typename T, typename Team>
NAS_DEVICE void PointwiseBackwardStage(const Team& team, const Pointwise<T>& conv,
                                       const OutputGradient<T>& gradient, int first_out, const T* g,
                                       const T* y, T* gx, double* weight_sums,
                                       double* probabilities, T* shared) {
  const int at_once = PixelsAtOnce(conv.out + 2 * conv.in);
  T* const gy = shared + kLaneValues;
  T* const quantized = gy + conv.out * at_once;
  T* const gq = quantized + conv.in * at_once;
  for (int first = 0; first < conv.size; first += at_once) {
    const int pixels = Least(at_once, conv.size - first);
    const auto given = [&](int e) {
      return conv.x[e / pixels * conv.x_size + conv.Source(first + e % pixels)];
    };
    team.ForEach(conv.out * pixels, [&](int i) {
      const int o = i / pixels, p = first + i % pixels, at = first_out + o;
      gy[i] = MulAdd(g[at * gradient.g_plane + p], gradient.direct[at],
                     MulAdd(y[at * conv.size + p], gradient.slope[at], gradient.constant[at]));
    });
    team.ForEach(conv.in * pixels, [&](int i) {
      const int c = i / pixels, p = i % pixels;
      T sum = 0;
      for (int o = 0; o < conv.out; ++o) {
        sum = MulAdd(conv.weights[o * conv.in + c], gy[o * pixels + p], sum);
      }
      gq[i] = sum;
      const T value = given(i);
      if (gx != nullptr) {
        gx[c * conv.x_size + conv.Source(first + p)] =
            ThroughMixture(conv.activation, conv.mixture, c, value, sum);
      }
      if (weight_sums == nullptr) return;
      quantized[i] = conv.mixture.Mixed(c, Activated(conv.activation, c, value));
    });
    if (weight_sums != nullptr) {
      AddInLanes(
          team, conv.out * conv.in, pixels,
          [&](int i, int p) {
            return gy[i / conv.in * pixels + p] * quantized[i % conv.in * pixels + p];
          },
          shared, weight_sums);
    }
    AddProbabilities(
        team, conv.activation, conv.mixture, conv.in * pixels, gq,
        [&](int e) { return e / pixels; }, given, shared, probabilities);
  }
}

// DepthwiseStage's gradients, from that of d; of x into gx.
template <typename T, typename Team>
NAS_DEVICE void DepthwiseBackwardStage(const Team& team, const UnitArgs<T>& unit, int64_t sample,
                                       const T* gd, T* gx, const UnitSums& sums, T* shared) {
  const int size = unit.size(), in_size = unit.in_size();
  const int taps_count = unit.shape.kernel * unit.shape.kernel;
  const int at_once = ChannelsAtOnce(unit.in(), in_size + size);
  T* const gradients = shared + kLaneValues;
  T* const planes = gradients + at_once * size;  // Quantized, then their gradients.
  for (int first = 0; first < unit.in(); first += at_once) {
    const int channels = Least(at_once, unit.in() - first);
    const T* const x = unit.Input(sample) + first * in_size;
    team.ForEach(channels * size, [&](int i) { gradients[i] = gd[first * size + i]; });
    WithTaps(unit, [&](auto taps) {
      if (sums.weights[0] != nullptr) {
        QuantizePlanes(team, unit, sample, first, channels, planes);
        AddInLanes(
            team, channels * taps_count, size,
            [&](int i, int p) {
              const int c = i / taps_count;
              return taps.WeightGradient(planes + c * in_size, gradients + c * size, i % taps_count,
                                         p);
            },
            shared, sums.weights[0] + first * taps_count);
      }
      team.ForEach(channels * in_size, [&](int i) {
        const int c = i / in_size, p = i % in_size;
        const T gradient =
            taps.InputGradient(gradients + c * size, unit.weights[0] + (first + c) * taps_count,
                               p / unit.width, p % unit.width);
        planes[i] = gradient;
        gx[first * in_size + i] =
            ThroughMixture(unit.activation, unit.mixtures[0], first + c, x[i], gradient);
      });
    });
    AddProbabilities(
        team, unit.activation, unit.mixtures[0], channels * in_size, planes,
        [&](int e) { return first + e / in_size; }, [&](int e) { return x[e]; }, shared,
        sums.probabilities);
  }
}

}  // namespace nas::device

#endif  // NAS_DEVICE_UNIT_STAGES_H_
