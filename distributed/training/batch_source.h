// A stream of global batches, of which a rank sees its share.
#ifndef DISTRIBUTED_TRAINING_BATCH_SOURCE_H_
#define DISTRIBUTED_TRAINING_BATCH_SOURCE_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace distributed {

// One rank's share of one global batch.
struct Batch {
  at::Tensor images;  // [n, 3, height, width], normalized float32.
  at::Tensor labels;  // [n] int64.
  at::Tensor
      sample_ids;  // [n] int64; with seed and epoch they decide everything random per sample.
  int64_t global_count = 0;  // Samples in the global batch, over all ranks.
  // What a sample's loss counts for on this rank: size / global_count. The mean over ranks of
  // loss_weight × (sum of the losses of this rank's samples) is the mean loss over the global
  // batch, also when the shares differ; a loss that is the same on every rank is added as it is.
  double loss_weight = 0;
};

// The global batches are the same for any number of ranks; (seed, epoch) decides their order.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual int64_t steps_per_epoch() const = 0;

  // Makes the next batch the one of `step` (from 0) in `epoch` (from 0).
  virtual absl::Status Seek(int64_t epoch, int64_t step) = 0;

  // This rank's share of the next batch. After the last batch of an epoch comes the first one of
  // the next epoch.
  virtual absl::StatusOr<Batch> Next() = 0;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_BATCH_SOURCE_H_
