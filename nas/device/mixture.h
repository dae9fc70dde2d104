// Activations and mixtures of quantizers on single values, as nas/fused/mixture-inl.h on vectors:
// the same operations in the same order.
#ifndef NAS_DEVICE_MIXTURE_H_
#define NAS_DEVICE_MIXTURE_H_

#include "nas/device/team.h"
#include "nas/fused/elementwise.h"

namespace nas::device {

using fused::Activation;
using fused::Candidate;
using fused::kMaxCandidates;

// z's argument.
template <typename T>
NAS_DEVICE T Argument(const Activation<T>& activation, int channel, T x) {
  if (activation.scale == nullptr) return x;
  return x * activation.scale[channel] + activation.shift[channel];
}

// NaN stays NaN.
template <typename T>
NAS_DEVICE T Activated(const Activation<T>& activation, T argument) {
  return activation.relu && argument <= 0 ? T(0) : argument;
}

// z(x).
template <typename T>
NAS_DEVICE T Activated(const Activation<T>& activation, int channel, T x) {
  return Activated(activation, Argument(activation, channel, x));
}

template <typename T>
NAS_DEVICE T Level(const Candidate<T>& candidate, T x) {
  const T level = Round(MulAdd(x, candidate.reciprocal, candidate.offset)) - candidate.offset;
  return Least(Greatest(level, candidate.low), candidate.high);
}

// y = float_probability x + sum_i probability_i Q_i(x).
template <typename T>
struct Mixture {
  const Candidate<T>* candidates = nullptr;  // Candidate i of channel c at [c * stride + i].
  int count = 0;
  int channel_stride = 0;  // 0: all channels have the same.
  bool has_float = true;
  const T* float_probability = nullptr;  // Null: 1.

  NAS_DEVICE const Candidate<T>* Of(int channel) const {
    return candidates + channel * channel_stride;
  }
  NAS_DEVICE T FloatProbability() const {
    return float_probability == nullptr ? T(1) : *float_probability;
  }
  NAS_DEVICE T Mixed(int channel, T x) const {
    const Candidate<T>* const own = Of(channel);
    T y = 0;
    for (int i = 0; i < count; ++i) y += Level(own[i], x) * own[i].step * own[i].probability;
    if (has_float) y += x * FloatProbability();
    return y;
  }
  // By which a gradient behind the mixture is multiplied.
  NAS_DEVICE T Slope(int channel, T x) const {
    const Candidate<T>* const own = Of(channel);
    T slope = has_float ? FloatProbability() : T(0);
    for (int i = 0; i < count; ++i) {
      if (x >= own[i].pass_low && x <= own[i].pass_high) slope += own[i].probability;
    }
    return slope;
  }
  // What the probability of candidate i multiplies; of the float one at i = count.
  NAS_DEVICE T Choice(int channel, int i, T x) const {
    if (i == count) return x;
    const Candidate<T>& candidate = Of(channel)[i];
    return Level(candidate, x) * candidate.step;
  }
  NAS_DEVICE int choices() const { return count + (has_float ? 1 : 0); }
};

}  // namespace nas::device

#endif  // NAS_DEVICE_MIXTURE_H_
