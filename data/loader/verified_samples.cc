#include "data/loader/verified_samples.h"

#include <xxhash.h>

namespace data {

uint64_t VerifiedSamples::Hash(const EncodedSample& sample) {
  return XXH3_64bits(sample.bytes.data(), sample.bytes.size());
}

}  // namespace data
