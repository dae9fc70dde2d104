// The quantizers of one weight on plain pointers and one thread, with the bits of the operators in
// quant/quantizers.h, for those who have many small weights. T is float or double.
#ifndef QUANT_WEIGHT_MIXTURE_H_
#define QUANT_WEIGHT_MIXTURE_H_

#include <cstdint>
#include <vector>

#include "c10/util/ArrayRef.h"
#include "quant/lattice.h"

namespace quant {

// A contiguous weight as [outer, channels, inner]: lattices differ by channel.
struct WeightLayout {
  int64_t outer = 1;
  int64_t channels = 1;
  int64_t inner = 1;

  int64_t size() const { return outer * channels * inner; }
};

template <typename T>
class WeightMixture {
 public:
  // Memory that one weight after the other takes.
  struct Scratch {
    std::vector<T> weight, grad, result;
  };

  WeightMixture(const T* weight, const WeightLayout& layout, Scratch& scratch);

  // Into `lattices`: [bits.size(), layout.channels].
  void MakeLattices(at::IntArrayRef bits, EightBit eight_bit, Lattice<T>* lattices) const;

  // Σ_i probs[i]·Q_i(weight), by those lattices of `count` candidates.
  void Mix(const T* probs, const Lattice<T>* lattices, int64_t count, T* mixed) const;

  // The gradients of weight and, unless that is null, probs ([count]) from the mixture's.
  void MixBackward(const T* grad, const T* probs, const Lattice<T>* lattices, int64_t count,
                   T* grad_weight, T* grad_probs) const;

 private:
  const T* const weight_;
  const WeightLayout layout_;
  // True for the weights of 1×1 convolutions: channels so short that looping over each is slower
  // than transposing the weight, which makes them whole.
  const bool transposed_;
  Scratch& scratch_;
};

}  // namespace quant

#endif  // QUANT_WEIGHT_MIXTURE_H_
