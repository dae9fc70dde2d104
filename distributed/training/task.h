// What the Trainer trains: one step's mathematics, without loops, ranks, files or clocks.
//
// A task that averages gradients is constructed with the GradientReducers it uses, and knows
// nothing of ranks beyond them.
#ifndef DISTRIBUTED_TRAINING_TASK_H_
#define DISTRIBUTED_TRAINING_TASK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/picture.h"
#include "base/tensor_file.h"
#include "distributed/training/batch_source.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

// Where a step stands in the run.
struct StepContext {
  int64_t global_step = 0;  // Steps done before it.
  double epoch_share = 1;   // Share of its epoch that is done after it, in (0, 1].
};

// A mean to report, as what is summed over batches and ranks: sum / count.
struct Metric {
  at::Tensor sum;     // 0-dimensional, any floating-point dtype and device.
  int64_t count = 0;  // Usually the number of samples.
};
// By the names of metrics.jsonl: "loss", "accuracy". One that is not finite ends the run.
using Metrics = std::map<std::string, Metric>;

class Task {
 public:
  virtual ~Task() = default;

  // The batch streams a step takes, in order: {"train"} or {"train", "search"}.
  virtual std::vector<std::string> streams() const = 0;

  // Called before the first step of every epoch, and after LoadState in the middle of one: sets
  // what is constant in an epoch (learning rates, drop-path probability).
  virtual void BeginEpoch(int64_t epoch, int64_t epochs) = 0;

  // Whether steps of the epoch that has begun take the `stream`-th stream. One that is not taken is
  // not read: its batches are empty.
  virtual bool UsesStream(size_t stream) const { return true; }

  // One step on this rank's share of one global batch per stream. The default random generator has
  // been seeded from (seed, global step), alike on every rank: what is drawn per sample must depend
  // on the sample id, not on its place in the share.
  virtual absl::StatusOr<Metrics> Step(const StepContext& context,
                                       absl::Span<const Batch> batches) = 0;

  // Metrics of one batch in evaluation mode; changes no state. The key "accuracy", if it is there,
  // decides which checkpoint is the best.
  virtual absl::StatusOr<Metrics> Evaluate(const Batch& batch) = 0;

  // Everything that changes from step to step, by name: parameters, buffers, optimizer states.
  // Alike on every rank. The tensors may alias the task's own.
  virtual base::TensorMap State() const = 0;

  // Takes over a State(); an error names the first missing, left-over or misshapen tensor.
  virtual absl::Status LoadState(const base::TensorMap& state) = 0;

  // What the lines of the start and of a finished epoch in metrics.jsonl say beyond the metrics, as
  // a JSON object: the learning rate, a search's genotype and logits.
  virtual nlohmann::json EpochSummary() const = 0;

  // What a picture shows better, by its name: a search's cells. For TensorBoard, after an epoch.
  virtual std::map<std::string, base::Picture> Pictures() const { return {}; }

  // Everything that decides the result, for the checkpoint and for the comparison between ranks and
  // with a resumed run.
  virtual nlohmann::json Config() const = 0;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_TASK_H_
