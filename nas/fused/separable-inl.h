// The gradient of a depthwise and a pointwise convolution, what the former gave computed again.
#if defined(NAS_FUSED_SEPARABLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NAS_FUSED_SEPARABLE_INL_H_
#undef NAS_FUSED_SEPARABLE_INL_H_
#else
#define NAS_FUSED_SEPARABLE_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "nas/fused/depthwise-inl.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/mixture-inl.h"
#include "nas/fused/padded_planes.h"
#include "nas/fused/pointwise-inl.h"
#include "nas/fused/wide-inl.h"

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

template <typename T>
void SeparableBackward(const DepthwiseShape& shape, int64_t in, int64_t out,
                       const Planes<const T>& x, const Activation<T>& activation,
                       const Mixture<T>& first, const T* depthwise, const Mixture<T>& second,
                       const T* pointwise, const NormalizationGradient<T>& gradient,
                       const Planes<T>& gx, bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch) {
  const PaddedPlanes planes(shape, kLanes<T>);
  const int64_t in_size = shape.height * shape.width, out_size = planes.height * planes.width;
  const int phases = shape.stride * shape.stride;
  const int64_t padded_channel = phases * planes.plane;
  T* padded = scratch.GetZeroed(kPadded, in * padded_channel, shape);
  T* padded_gd = scratch.GetZeroed(kPaddedGradient, in * planes.plane, shape);
  T* plane = scratch.Get(kPlane, RoundUp(in_size, kLanes<T>));
  T* split = scratch.Get(kSplit, phases * planes.height * RoundUp(planes.width, kLanes<T>));
  T* d = scratch.Get(kDepthwise, in * out_size);
  ForTaps(shape, [&](auto taps) HWY_ATTR {
    using K = decltype(taps);
    for (int64_t c = 0; c < in; ++c) {
      ConvolveChannel<T, K>(shape, planes, activation, first, c, x[c], depthwise + c * K::count,
                            plane, padded + c * padded_channel, d + c * out_size);
    }
    PointwiseBackwardToRows(in, out, planes.rows(), Planes<const T>(d, out_size),
                            Activation<T>{.relu = false}, second, pointwise, gradient,
                            Planes<T>(padded_gd + planes.origin, planes.plane),
                            /*accumulate=*/false, static_cast<double*>(nullptr),
                            weight_gradients.pointwise, weight_gradients.probabilities[1], scratch);
    for (int64_t c = 0; c < in; ++c) {
      const T* gd = padded_gd + c * planes.plane;
      if (weight_gradients.depthwise != nullptr) {
        ConvolveWeightGradient<T, K>(planes, gd, padded + c * padded_channel,
                                     weight_gradients.depthwise + c * K::count * kLanes<T>);
      }
      ConvolveBackward<T, K>(planes, gd, depthwise + c * K::count, split, plane);
      MixBackward<kLanes<T>>(activation, first, c, Rows::Whole(in_size), x[c], plane, gx[c],
                             accumulate, static_cast<T*>(nullptr),
                             weight_gradients.probabilities[0],
                             norm_sums == nullptr ? nullptr : norm_sums + 2 * c);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#endif  // NAS_FUSED_SEPARABLE_INL_H_
