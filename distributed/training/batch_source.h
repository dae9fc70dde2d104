// A stream of global batches, of which a rank sees its share.
#ifndef DISTRIBUTED_TRAINING_BATCH_SOURCE_H_
#define DISTRIBUTED_TRAINING_BATCH_SOURCE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/loader/skipped_sample.h"

namespace distributed {

// One rank's share of one global batch. It may be empty: the batch is smaller than the number of
// ranks, or samples were left out.
struct Batch {
  at::Tensor images;  // [n, 3, height, width], normalized float32; on the source's device.
  at::Tensor labels;  // [n] int64.
  // Of mixed images (data/pixels/mixing.h) what each shows besides, [n] int64, and what its own
  // label counts for, [n] float32. Else undefined.
  at::Tensor other_labels = {};
  at::Tensor label_shares = {};
  at::Tensor
      sample_ids;  // [n] int64; with seed and epoch they decide everything random per sample.
  // Samples in the global batch, over all ranks. The source counts those that are left out as well;
  // Trainer and EvaluateBatches, which hear of all ranks, correct it and loss_weight.
  int64_t global_count = 0;
  // What a sample's loss counts for on this rank: size / global_count. The mean over ranks of
  // loss_weight × (sum of the losses of this rank's samples) is the mean loss over the global
  // batch, also when the shares differ; a loss that is the same on every rank is added as it is.
  double loss_weight = 0;
};

using data::SkippedSample;

// The global batches are the same for any number of ranks; (seed, epoch) decides their order.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual int64_t steps_per_epoch() const = 0;

  // Makes the next batch the one of `step` (from 0) in `epoch` (from 0).
  virtual absl::Status Seek(int64_t epoch, int64_t step) = 0;

  // Whether Next would return at once; waits for that, but no longer than `patience`.
  virtual bool IsReady(std::chrono::milliseconds patience) { return true; }

  // This rank's share of the next batch. After the last batch of an epoch comes the first one of
  // the next epoch.
  virtual absl::StatusOr<Batch> Next() = 0;

  // Until the next call that wants batches there will be none for a while: threads and memory may
  // go.
  virtual void Pause() {}

  // The damaged samples that this rank's batches have been made without, and that the last call did
  // not return.
  virtual std::vector<SkippedSample> TakeSkippedSamples() { return {}; }
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_BATCH_SOURCE_H_
