// What the quantizers' CPU kernels for tensors and those for weights have in common: the order in
// which elements are visited, on which sums depend, and lattices from statistics.
#ifndef QUANT_CHANNEL_BLOCKS_H_
#define QUANT_CHANNEL_BLOCKS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "c10/util/ArrayRef.h"
#include "quant/kernel_inputs.h"
#include "quant/lattice.h"
#include "quant/quantizers_cpu_kernels.h"

namespace quant {

// The elements whose partial sums are added up first, whatever the number of threads.
inline constexpr int64_t kTaskElements = 1 << 15;

// Calls block(candidates of the block's channel, begin, size) for blocks that cover elements
// [begin, end), each within one channel.
template <typename T, typename Block>
void ForEachBlock(Candidates<T> candidates, ChannelLayout layout, int64_t begin, int64_t end,
                  const Block& block) {
  const Lattice<T>* const first_lattice = candidates.lattices;
  while (begin < end) {
    const int64_t plane = begin / layout.inner;
    const int64_t size = std::min({kBlock, (plane + 1) * layout.inner - begin, end - begin});
    candidates.lattices = first_lattice + plane % layout.channels;
    block(candidates, begin, size);
    begin += size;
  }
}

// Unbiased, of all elements, rounded to T as LibTorch's is; NaN for a single one.
template <typename T>
T StandardDeviation(const T* x, int64_t size) {
  const double count = static_cast<double>(size);
  const double mean = Sum(x, size) / count;
  return static_cast<T>(std::sqrt(SquaredDeviations(x, size, mean) / (count - 1)));
}

// Those of all bits, for each of them those of all ranges. `std` is what Statistics says.
template <typename T>
void FillLattices(at::IntArrayRef bits, Role role, EightBit eight_bit, double std,
                  const std::vector<Range<T>>& ranges, Lattice<T>* lattices) {
  Range<T> whole;
  for (const Range<T>& range : ranges) whole.Include(range);
  Statistics<T> statistics{.std = std, .tensor_min = whole.min};
  for (const int64_t b : bits) {
    for (const Range<T>& range : ranges) {
      statistics.min = range.min;
      statistics.max = range.max;
      *lattices++ = MakeLattice(b, role, eight_bit, statistics);
    }
  }
}

}  // namespace quant

#endif  // QUANT_CHANNEL_BLOCKS_H_
