// The candidates of a mixture of activation quantizers, from bits, probabilities and ranges.
#ifndef NAS_FUSED_QUANTIZER_SET_H_
#define NAS_FUSED_QUANTIZER_SET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "c10/util/ArrayRef.h"
#include "nas/fused/elementwise.h"
#include "nas/fused/fused_kernels.h"
#include "quant/lattice.h"
#include "quant/precision.h"
#include "quant/quantizers.h"

namespace nas::fused {

// How many of `bits` are mixed as candidates; 32 bits are not.
inline int NumCandidates(c10::ArrayRef<int64_t> bits) {
  return static_cast<int>(bits.size() - std::count(bits.begin(), bits.end(), quant::kFloatBits));
}

// A mixture, with the memory that it points to.
template <typename T>
struct QuantizerSet {
  std::vector<Candidate<T>> candidates;  // Channel by channel, or for all.
  int count = 0;                         // Of one channel.
  bool has_float = true;
  T float_probability = 1;

  fused::Mixture<T> Mixture() const {
    return {.count = count,
            .has_float = has_float,
            .float_probability = float_probability,
            .candidates = candidates.data(),
            .channel_stride = static_cast<int64_t>(candidates.size()) > count ? count : 0};
  }
};

// probabilities: by bits; ignored for one candidate. ranges: least and greatest value of each
// channel of what is quantized; ignored but for 8 bits.
template <typename T>
QuantizerSet<T> MakeQuantizers(c10::ArrayRef<int64_t> bits, quant::EightBit eight_bit,
                               const T* probabilities, const std::vector<T>& ranges) {
  QuantizerSet<T> set;
  set.count = NumCandidates(bits);
  set.has_float = set.count < static_cast<int>(bits.size());
  quant::Statistics<T> whole;
  whole.min = std::numeric_limits<T>::infinity();
  whole.max = -whole.min;
  const bool needs_range = quant::NeedsRange(bits);
  if (needs_range) {
    for (size_t i = 0; i < ranges.size(); i += 2) {
      whole.min = std::min(whole.min, ranges[i]);
      whole.max = std::max(whole.max, ranges[i + 1]);
    }
  }
  whole.tensor_min = whole.min;
  const bool by_channel = needs_range && eight_bit != quant::EightBit::kSymmetric;
  for (size_t c = 0; c < (by_channel ? ranges.size() / 2 : 1); ++c) {
    quant::Statistics<T> statistics = whole;
    if (by_channel) {
      statistics.min = ranges[2 * c];
      statistics.max = ranges[2 * c + 1];
    }
    for (size_t i = 0; i < bits.size(); ++i) {
      const T probability = bits.size() == 1 ? T(1) : probabilities[i];
      if (bits[i] == quant::kFloatBits) {
        set.float_probability = probability;
        continue;
      }
      const quant::Lattice<T> lattice =
          quant::MakeLattice(bits[i], quant::Role::kActivation, eight_bit, statistics);
      set.candidates.push_back(MakeCandidate(lattice, probability));
    }
  }
  return set;
}

}  // namespace nas::fused

#endif  // NAS_FUSED_QUANTIZER_SET_H_
