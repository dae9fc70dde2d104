// The memory of batches, used again once nobody holds it.
#ifndef DATA_LOADER_BATCH_POOL_H_
#define DATA_LOADER_BATCH_POOL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/field_column.h"
#include "data/pixels/pixel_region.h"

namespace data {

// A sample before it is decoded.
struct SampleReading {
  ScratchBuffer bytes;
  absl::StatusOr<EncodedSample> sample;
  bool done = false;
};

// A batch while it is made: filled sample by sample, in any order, by several threads.
struct BatchBuffer {
  int64_t epoch = 0;
  int64_t step = 0;
  int64_t global_size = 0;
  int size = 0;  // side of its images
  std::shared_ptr<uint8_t> pixels;
  std::vector<int64_t> labels;
  std::vector<int64_t> sample_ids;
  std::vector<int64_t> draws;          // of the samples, as WeightedOrder numbers them
  std::vector<int64_t> other_labels;   // if images are mixed: of what each was mixed with
  std::vector<float> label_shares;     // and what its own label counts for
  std::vector<Rect> erased;            // of each image, unless images are mixed
  std::vector<FieldColumn> fields;     // of the data set
  std::vector<absl::Status> statuses;  // of each sample
  // Of each sample, where threads of their own read; a deque, so that what is read stays in place.
  std::deque<SampleReading> readings;
  int64_t asked = 0;  // how many of them a thread has begun
  // How many samples a thread has taken, and how many are made.
  int64_t taken = 0;
  int64_t made = 0;

  // Samples that may be decoded one behind the other, from the first that no thread has taken: a
  // multiple of `together`, but for the batch's last ones; up to `most`, which is one, too.
  int64_t Ready(int64_t most, int64_t together) const {
    const int64_t left = static_cast<int64_t>(sample_ids.size()) - taken;
    int64_t ready = std::min(left, most);
    for (int64_t i = 0; i < ready && !readings.empty(); ++i) {
      if (!readings[taken + i].done) ready = i;
    }
    return ready == left ? ready : ready / together * together;
  }

  bool finished() const { return made == static_cast<int64_t>(sample_ids.size()); }
};

// Thread-safe. Its buffers may outlive it.
class BatchPool {
 public:
  using Allocate = std::function<std::shared_ptr<uint8_t>(size_t)>;

  // Buffers hold `pixel_bytes` from `allocate`, or from new if that is null.
  BatchPool(size_t pixel_bytes, Allocate allocate);

  // A buffer with pixels of unspecified content and stale other fields.
  std::shared_ptr<BatchBuffer> Take();

  // Gives the memory of those that nobody holds back to the system.
  void Clear();

 private:
  struct FreeList {
    std::mutex mutex;
    std::vector<std::unique_ptr<BatchBuffer>> buffers;
  };

  const size_t pixel_bytes_;
  const Allocate allocate_;
  const std::shared_ptr<FreeList> free_;
};

}  // namespace data

#endif  // DATA_LOADER_BATCH_POOL_H_
