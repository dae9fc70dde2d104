#include "data/io/sample_content.h"

#include <algorithm>

#include "xxhash.h"

namespace data {

uint64_t SampleContent(const EncodedSample& sample) {
  const uint64_t size = uint64_t(sample.width) << 32 | uint64_t(sample.height);
  uint64_t hash = XXH3_64bits_withSeed(sample.bytes.data(), sample.bytes.size(),
                                       size ^ uint64_t(sample.encoding) << 62);
  for (const absl::Span<const uint8_t> field : sample.fields) {
    hash = XXH3_64bits_withSeed(field.data(), field.size(), hash + (field.data() != nullptr));
  }
  return std::max<uint64_t>(hash, 1);
}

}  // namespace data
