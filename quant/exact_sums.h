// Forward passes whose sums no order changes: convolutions compute on levels, which are integers,
// and scale once; in evaluation batch normalizations are a scale and a shift, rounded once, which
// is what quant/runtime computes of a packed network, on LibTorch.
//
//   const c10::NoGradGuard no_grad;
//   const quant::ExactSumsGuard exact;
//   network->forward(images);
#ifndef QUANT_EXACT_SUMS_H_
#define QUANT_EXACT_SUMS_H_

#include <cstdint>
#include <functional>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "quant/lattice.h"

namespace quant {

// Q(x) = levels · unit.
struct Levels {
  at::Tensor levels;  // float64, of x's shape.
  at::Tensor unit;    // float64, [1], or one for each index of dimension LatticeDim.
  // Whether levels are integers: odd ones for Gaussian weights, whose unit is half a step. Else
  // they are Q(x) itself: 32 bits, 5 to 8 bits other than symmetric, constant weights.
  bool integers = false;
};

// `range_of` as for MixedActivation.
Levels LevelsOf(const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit,
                const at::Tensor& range_of = {});

struct ConvArguments {
  at::IntArrayRef stride, padding, dilation;
  int64_t groups = 1;
};

// conv2d(levels, levels) times the product of the units, rounded once to `dtype`. Without levels
// that are integers, sums are in float64.
at::Tensor ExactConv2d(const Levels& x, const Levels& weight, const ConvArguments& arguments,
                       at::ScalarType dtype);

// `value`, with the gradient of `y`, which it stands for.
at::Tensor WithGradientOf(const at::Tensor& y, const at::Tensor& value);

// While one lives, the forward of every convolution with fixed bits in this thread is exact, and
// that of every batch normalization in evaluation. Gradients are those of the ordinary convolution,
// which is then computed besides.
class ExactSumsGuard {
 public:
  ExactSumsGuard() { ++Depth(); }
  ~ExactSumsGuard() { --Depth(); }
  ExactSumsGuard(const ExactSumsGuard&) = delete;
  ExactSumsGuard& operator=(const ExactSumsGuard&) = delete;

  static bool IsActive() { return Depth() > 0; }

 private:
  static int& Depth();
};

// While one lives, `observe` sees the input's levels of each convolution with fixed bits that this
// thread computes, exactly or not; it knows the convolution by its weight. One at a time.
class LevelObserver {
 public:
  using Function = std::function<void(const at::Tensor& weight, const Levels& x)>;
  explicit LevelObserver(Function observe);
  ~LevelObserver();
  LevelObserver(const LevelObserver&) = delete;
  LevelObserver& operator=(const LevelObserver&) = delete;

  static bool IsActive() { return Current() != nullptr; }
  // Does nothing if there is none.
  static void Observe(const at::Tensor& weight, const Levels& x);

 private:
  static const LevelObserver*& Current();

  const Function observe_;
};

}  // namespace quant

#endif  // QUANT_EXACT_SUMS_H_
