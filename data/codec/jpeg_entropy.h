// Tells a whole JPEG with odd bytes behind it from a damaged one.
#ifndef DATA_CODEC_JPEG_ENTROPY_H_
#define DATA_CODEC_JPEG_ENTROPY_H_

#include <cstdint>

#include "absl/types/span.h"

namespace data {

// Whether the entropy-coded data of a sequential, Huffman-coded JPEG (SOF0, SOF1) are just the
// blocks that its frame has, as an encoder wrote them: every code is in its table, no block goes on
// behind its 64th coefficient, no mean leaves the range of pixels, and the bits left over in the
// last byte are 1. Damaged data that libjpeg decodes without a word soon fail one of these. False,
// too, for other JPEGs.
//
// One bit at a time: for the rare file of which it is needed.
bool EntropyDataAreWhole(absl::Span<const uint8_t> jpeg);

// The coefficient of which `size` bits stand behind its code (T.81, F.2.2.1).
inline int CoefficientOf(int bits, int size) {
  return size > 0 && bits >> (size - 1) == 0 ? bits - (1 << size) + 1 : bits;
}

}  // namespace data

#endif  // DATA_CODEC_JPEG_ENTROPY_H_
