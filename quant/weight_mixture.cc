#include "quant/weight_mixture.h"

#include <algorithm>

#include "base/fixed_lanes.h"
#include "quant/channel_blocks.h"
#include "quant/kernel_inputs.h"
#include "quant/quantizers_cpu_kernels.h"

namespace quant {
namespace {

// [rows, columns, inner] -> [columns, rows, inner].
template <typename T>
void Transpose(const T* from, int64_t rows, int64_t columns, int64_t inner, T* to) {
  for (int64_t column = 0; column < columns; ++column) {
    for (int64_t row = 0; row < rows; ++row) {
      to = std::copy_n(from + (row * columns + column) * inner, inner, to);
    }
  }
}

template <typename T>
const T* Transposed(const T* from, const WeightLayout& layout, std::vector<T>& into) {
  into.resize(layout.size());
  Transpose(from, layout.outer, layout.channels, layout.inner, into.data());
  return into.data();
}

template <typename T>
void TransposeBack(const std::vector<T>& from, const WeightLayout& layout, T* to) {
  Transpose(from.data(), layout.channels, layout.outer, layout.inner, to);
}

ChannelLayout LayoutOfRuns(const WeightLayout& layout, bool transposed) {
  return {layout.channels, transposed ? layout.outer * layout.inner : layout.inner};
}

}  // namespace

template <typename T>
WeightMixture<T>::WeightMixture(const T* weight, const WeightLayout& layout, Scratch& scratch)
    : weight_(weight),
      layout_(layout),
      transposed_(layout.channels > 1 && layout.outer > 1 && layout.inner < base::kLanes),
      scratch_(scratch) {
  if (transposed_) Transposed(weight, layout, scratch.weight);
}

template <typename T>
void WeightMixture<T>::MakeLattices(at::IntArrayRef bits, EightBit eight_bit,
                                    Lattice<T>* lattices) const {
  std::vector<Range<T>> ranges(layout_.channels);
  if (AnyHasRange(bits)) {
    const T* const runs = transposed_ ? scratch_.weight.data() : weight_;
    const int64_t run = LayoutOfRuns(layout_, transposed_).inner;
    for (int64_t i = 0; i < layout_.size() / run; ++i) {
      ranges[i % layout_.channels].Include(RangeOf(runs + i * run, run));
    }
  }
  FillLattices(bits, Role::kWeight, eight_bit,
               AnyIsGaussian(bits) ? StandardDeviation(weight_, layout_.size()) : 0, ranges, lattices);
}

template <typename T>
void WeightMixture<T>::Mix(const T* probs, const Lattice<T>* lattices, int64_t count,
                           T* mixed) const {
  const T* const x = transposed_ ? scratch_.weight.data() : weight_;
  if (transposed_) scratch_.result.resize(layout_.size());
  T* const y = transposed_ ? scratch_.result.data() : mixed;
  ForEachBlock(Candidates<T>{probs, lattices, layout_.channels, count},
               LayoutOfRuns(layout_, transposed_), 0, layout_.size(),
               [&](const Candidates<T>& candidates, int64_t first, int64_t size) {
                 MixBlock(candidates, x + first, size, y + first);
               });
  if (transposed_) TransposeBack(scratch_.result, layout_, mixed);
}

template <typename T>
void WeightMixture<T>::MixBackward(const T* grad, const T* probs, const Lattice<T>* lattices,
                                   int64_t count, T* grad_weight, T* grad_probs) const {
  const T* const x = transposed_ ? scratch_.weight.data() : weight_;
  const T* const dy = transposed_ ? Transposed(grad, layout_, scratch_.grad) : grad;
  if (transposed_) scratch_.result.resize(layout_.size());
  T* const dx = transposed_ ? scratch_.result.data() : grad_weight;
  std::vector<double> sums(count), sums_of_task(count);
  for (int64_t begin = 0; begin < layout_.size(); begin += kTaskElements) {
    std::fill(sums_of_task.begin(), sums_of_task.end(), 0);
    ForEachBlock(Candidates<T>{probs, lattices, layout_.channels, count},
                 LayoutOfRuns(layout_, transposed_), begin,
                 std::min(begin + kTaskElements, layout_.size()),
                 [&](const Candidates<T>& candidates, int64_t first, int64_t size) {
                   MixBlockBackward(candidates, dy + first, x + first, size, dx + first,
                                    grad_probs == nullptr ? nullptr : sums_of_task.data());
                 });
    for (int64_t i = 0; i < count; ++i) sums[i] += sums_of_task[i];
  }
  if (transposed_) TransposeBack(scratch_.result, layout_, grad_weight);
  if (grad_probs != nullptr) std::copy(sums.begin(), sums.end(), grad_probs);
}

template class WeightMixture<float>;
template class WeightMixture<double>;

}  // namespace quant
