// A task and its data that tests of the trainer run in milliseconds.
#ifndef DISTRIBUTED_TRAINING_TESTING_TASK_H_
#define DISTRIBUTED_TRAINING_TESTING_TASK_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "distributed/data_parallel/batch_norm.h"
#include "distributed/data_parallel/gradient_reducer.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "nlohmann/json.hpp"

namespace distributed {

// Images of noise whose class shifts their mean; a sample's pixels depend on its id alone.
class TestingBatches : public BatchSource {
 public:
  static constexpr int kClasses = 3;

  // Those of `damaged`, by id, are left out.
  TestingBatches(const Communicator& communicator, int64_t samples, int64_t global_batch,
                 std::set<int64_t> damaged = {});

  int64_t steps_per_epoch() const override { return samples_ / global_batch_; }
  absl::Status Seek(int64_t epoch, int64_t step) override;
  absl::StatusOr<Batch> Next() override;
  std::vector<SkippedSample> TakeSkippedSamples() override { return std::exchange(skipped_, {}); }

 private:
  const int rank_;
  const int size_;
  const int64_t samples_;
  const int64_t global_batch_;
  const std::set<int64_t> damaged_;
  std::vector<SkippedSample> skipped_;
  int64_t position_ = 0;  // In batches, over all epochs.
};

// A convolution, batch normalization, features dropped at random and a linear classifier, in
// float64, trained by SGD with momentum. Metrics: loss, accuracy; of a step, gradient_norm too.
class TestingTask : public Task {
 public:
  struct Options {
    double learning_rate = 0.1;
    // Called before each step, for tests that disturb it.
    std::function<absl::Status(const StepContext&)> before_step;
    // Called with what a step or an evaluation reports.
    std::function<void(Metrics&)> edit_metrics;
  };

  TestingTask(Communicator* communicator, Options options);

  std::vector<std::string> streams() const override { return {"train"}; }
  void BeginEpoch(int64_t epoch, int64_t epochs) override;
  absl::StatusOr<Metrics> Step(const StepContext& context,
                               absl::Span<const Batch> batches) override;
  absl::StatusOr<Metrics> Evaluate(const Batch& batch) override;
  base::TensorMap State() const override;
  absl::Status LoadState(const base::TensorMap& state) override;
  nlohmann::json EpochSummary() const override;
  nlohmann::json Config() const override;

 private:
  at::Tensor Logits(const at::Tensor& images);
  Metrics MetricsOf(const at::Tensor& loss_sum, const at::Tensor& logits, const Batch& batch) const;

  const Options options_;
  at::Tensor kernel_;
  BatchNorm2d batch_norm_;
  at::Tensor classifier_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momenta_;
  double learning_rate_ = 0;
  GradientReducer reducer_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_TESTING_TASK_H_
