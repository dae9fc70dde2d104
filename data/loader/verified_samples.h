// Remembers which samples were decoded whole without an error, so that files without checksums need
// to prove it only once. An ImageFolder's JPEG is decoded to its last row in the first epoch; in
// later ones, as long as its bytes are the same, only as far as its crop reaches.
#ifndef DATA_LOADER_VERIFIED_SAMPLES_H_
#define DATA_LOADER_VERIFIED_SAMPLES_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "data/io/encoded_sample.h"

namespace data {

// All methods may be called from several threads at once. Holds eight bytes per sample.
class VerifiedSamples {
 public:
  // None of `size` samples is verified yet.
  explicit VerifiedSamples(int64_t size) : hashes_(size) {}

  // XXH3 (64 bits) of the sample's bytes.
  static uint64_t Hash(const EncodedSample& sample);

  // Whether the bytes of sample `index` that have this hash were once found sound.
  bool Contains(int64_t index, uint64_t hash) const {
    return hash != 0 && hashes_[index].load(std::memory_order_relaxed) == hash;
  }

  void Insert(int64_t index, uint64_t hash) {
    hashes_[index].store(hash, std::memory_order_relaxed);
  }

 private:
  std::vector<std::atomic<uint64_t>> hashes_;  // By sample; 0 for none.
};

}  // namespace data

#endif  // DATA_LOADER_VERIFIED_SAMPLES_H_
