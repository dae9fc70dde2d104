// The kernels of every instruction set, and the choice among them.

#include "nas/fused/fused_kernels.h"

#include <string>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nas/fused/fused_kernels.cc"
// Those between the baseline, on which KernelsAvailable() is false, and AVX2 would never run.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "nas/fused/depthwise-inl.h"
#include "nas/fused/halving-inl.h"
#include "nas/fused/pointwise-inl.h"
#include "nas/fused/pool-inl.h"
#include "nas/fused/separable-inl.h"
#include "nas/fused/sums-inl.h"

#ifndef NAS_FUSED_FUSED_KERNELS_TABLE_
#define NAS_FUSED_FUSED_KERNELS_TABLE_
// They multiply and add in one rounding.
#define NAS_FUSED_TARGETS (HWY_AVX2 | HWY_AVX3 | HWY_NEON)
namespace nas::fused {
namespace {

// The kernels of one instruction set.
template <typename T>
struct Kernels {
  decltype(&DepthwiseForward<T>) depthwise_forward;
  decltype(&JoinRanges<T>) join_ranges;
  decltype(&PointwiseForward<T>) pointwise_forward;
  decltype(&PointwiseBackward<T>) pointwise_backward;
  decltype(&SeparableBackward<T>) separable_backward;
  decltype(&PoolForward<T>) pool_forward;
  decltype(&PoolBackward<T>) pool_backward;
  decltype(&GatherPhase<T>) gather_phase;
  decltype(&ScatterPhase<T>) scatter_phase;
  decltype(&MaxOfSquares<T>) max_of_squares;
  decltype(&MaxOfSquaresBackward<T>) max_of_squares_backward;
  decltype(&Combine<T>) combine;
  decltype(&AddLanes<T>) add_lanes;
  decltype(&Sum<T>) sum;
  decltype(&Dot<T>) dot;
};

}  // namespace
}  // namespace nas::fused
#endif  // NAS_FUSED_FUSED_KERNELS_TABLE_

HWY_BEFORE_NAMESPACE();
namespace nas::fused {
namespace {
namespace HWY_NAMESPACE {

template <typename T>
Kernels<T> MakeKernels() {
  return {&DepthwiseForward<T>,
          &JoinRanges<T>,
          &PointwiseForward<T>,
          &PointwiseBackward<T>,
          &SeparableBackward<T>,
          &PoolForward<T>,
          &PoolBackward<T>,
          &GatherPhase<T>,
          &ScatterPhase<T>,
          &MaxOfSquares<T>,
          &MaxOfSquaresBackward<T>,
          &Combine<T>,
          &AddLanes<T>,
          &Sum<T>,
          &Dot<T>};
}

// Nothing of an instruction set on which KernelsAvailable() is false, so that none is compiled for
// it.
void FillKernels(Kernels<float>* single, Kernels<double>* twice) {
#if HWY_TARGET & NAS_FUSED_TARGETS
  *single = MakeKernels<float>();
  *twice = MakeKernels<double>();
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace nas::fused
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nas::fused {
namespace {

HWY_EXPORT(FillKernels);

struct AllKernels {
  Kernels<float> single;
  Kernels<double> twice;

  AllKernels() { Fill(); }
  void Fill() { HWY_DYNAMIC_DISPATCH(FillKernels)(&single, &twice); }
};

AllKernels& All() {
  static AllKernels& kernels = *new AllKernels;
  return kernels;
}

template <typename T>
const Kernels<T>& Table();
template <>
const Kernels<float>& Table<float>() {
  return All().single;
}
template <>
const Kernels<double>& Table<double>() {
  return All().twice;
}

}  // namespace

bool KernelsAvailable() {
  static const bool available = (hwy::SupportedTargets() & HWY_TARGETS & NAS_FUSED_TARGETS) != 0;
  return available;
}

std::vector<std::string> KernelTargets() {
  std::vector<std::string> names;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target != HWY_BASELINE_TARGETS) names.push_back(hwy::TargetName(target));
  }
  return names;
}

void PinKernelTarget(const std::string& name) {
  int64_t pinned = 0;
  hwy::SetSupportedTargetsForTest(0);
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == hwy::TargetName(target)) pinned = target;
  }
  hwy::SetSupportedTargetsForTest(pinned);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  All().Fill();
}

template <typename T>
void DepthwiseForward(const DepthwiseShape& shape, int64_t channels, const Planes<const T>& x,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* d, Scratch<T>& scratch) {
  Table<T>().depthwise_forward(shape, channels, x, activation, mixture, weights, d, scratch);
}

template <typename T>
void JoinRanges(int64_t channels, int64_t size, const Planes<const T>& x, T* ranges) {
  Table<T>().join_ranges(channels, size, x, ranges);
}

template <typename T>
void PointwiseForward(int64_t in, int64_t out, int64_t size, const Planes<const T>& x,
                      const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                      T* y, double* sums, Scratch<T>& scratch) {
  Table<T>().pointwise_forward(in, out, size, x, activation, mixture, weights, y, sums, scratch);
}

template <typename T>
void PointwiseBackward(int64_t in, int64_t out, int64_t size, const Planes<const T>& x,
                       const Activation<T>& activation, const Mixture<T>& mixture, const T* weights,
                       const NormalizationGradient<T>& gradient, const Planes<T>& gx,
                       bool accumulate, double* norm_sums, T* weight_sums, double* probability_sums,
                       Scratch<T>& scratch) {
  Table<T>().pointwise_backward(in, out, size, x, activation, mixture, weights, gradient, gx,
                                accumulate, norm_sums, weight_sums, probability_sums, scratch);
}

template <typename T>
void SeparableBackward(const DepthwiseShape& shape, int64_t in, int64_t out,
                       const Planes<const T>& x, const Activation<T>& activation,
                       const Mixture<T>& first, const T* depthwise, const Mixture<T>& second,
                       const T* pointwise, const NormalizationGradient<T>& gradient,
                       const Planes<T>& gx, bool accumulate, double* norm_sums,
                       const WeightGradients<T>& weight_gradients, Scratch<T>& scratch) {
  Table<T>().separable_backward(shape, in, out, x, activation, first, depthwise, second, pointwise,
                                gradient, gx, accumulate, norm_sums, weight_gradients, scratch);
}

template <typename T>
void PoolForward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                 int64_t x_stride, T* y, Scratch<T>& scratch) {
  Table<T>().pool_forward(max, channels, height, width, stride, x, x_stride, y, scratch);
}

template <typename T>
void PoolBackward(bool max, int64_t channels, int64_t height, int64_t width, int stride, const T* x,
                  int64_t x_stride, const T* y, const NormalizationGradient<T>& gradient, T* gx,
                  int64_t gx_stride, Scratch<T>& scratch) {
  Table<T>().pool_backward(max, channels, height, width, stride, x, x_stride, y, gradient, gx,
                           gx_stride, scratch);
}

template <typename T>
void GatherPhase(int64_t channels, int64_t height, int64_t width, int odd, const Planes<const T>& x,
                 T* phase) {
  Table<T>().gather_phase(channels, height, width, odd, x, phase);
}

template <typename T>
void ScatterPhase(int64_t channels, int64_t height, int64_t width, int odd, const T* phase,
                  const Planes<T>& gx) {
  Table<T>().scatter_phase(channels, height, width, odd, phase, gx);
}

template <typename T>
void MaxOfSquares(int64_t channels, int64_t height, int64_t width, const T* x, T* y) {
  Table<T>().max_of_squares(channels, height, width, x, y);
}

template <typename T>
void MaxOfSquaresBackward(int64_t channels, int64_t height, int64_t width, const T* x, const T* y,
                          const T* gy, T* gx) {
  Table<T>().max_of_squares_backward(channels, height, width, x, y, gy, gx);
}

template <typename T>
void Combine(int64_t size, int count, const T* const* terms, const T* coefficients, T constant,
             T* y) {
  Table<T>().combine(size, count, terms, coefficients, constant, y);
}

template <typename T>
void AddLanes(int64_t count, int lanes, const T* values, double* sums) {
  Table<T>().add_lanes(count, lanes, values, sums);
}

template <typename T>
double Sum(int64_t size, const T* x) {
  return Table<T>().sum(size, x);
}

template <typename T>
double Dot(int64_t size, const T* x, const T* y) {
  return Table<T>().dot(size, x, y);
}

#define INSTANTIATE(T)                                                \
  template decltype(DepthwiseForward<T>) DepthwiseForward<T>;         \
  template decltype(JoinRanges<T>) JoinRanges<T>;                     \
  template decltype(PointwiseForward<T>) PointwiseForward<T>;         \
  template decltype(PointwiseBackward<T>) PointwiseBackward<T>;       \
  template decltype(SeparableBackward<T>) SeparableBackward<T>;       \
  template decltype(PoolForward<T>) PoolForward<T>;                   \
  template decltype(PoolBackward<T>) PoolBackward<T>;                 \
  template decltype(GatherPhase<T>) GatherPhase<T>;                   \
  template decltype(ScatterPhase<T>) ScatterPhase<T>;                 \
  template decltype(MaxOfSquares<T>) MaxOfSquares<T>;                 \
  template decltype(MaxOfSquaresBackward<T>) MaxOfSquaresBackward<T>; \
  template decltype(Combine<T>) Combine<T>;                           \
  template decltype(AddLanes<T>) AddLanes<T>;                         \
  template decltype(Sum<T>) Sum<T>;                                   \
  template decltype(Dot<T>) Dot<T>;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace nas::fused
#endif  // HWY_ONCE
