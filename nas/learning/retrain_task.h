// Training of a derived network, in float or with fixed bits, as a task (QDARTS/train.py and
// train_imagenet.py).
#ifndef NAS_LEARNING_RETRAIN_TASK_H_
#define NAS_LEARNING_RETRAIN_TASK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "distributed/data_parallel/gradient_reducer.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/parameter_group.h"
#include "nas/learning/schedules.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

struct RetrainConfig {
  // SGD; the gradient's norm over all parameters is clipped to grad_clip, if that is not 0.
  Schedule rate;
  double momentum = 0.9;
  double weight_decay = 3e-4;
  double grad_clip = 5;

  double label_smoothing = 0;
  double auxiliary_weight = 0.4;  // Of the auxiliary head's loss, if the network has one.
  // Probability of dropping a path in epoch e of E: drop_path * e / E.
  double drop_path = 0;
  uint64_t seed = 0;  // Of drop path.
};

nlohmann::json ToJson(const RetrainConfig& config);

class RetrainTask : public distributed::Task {
 public:
  // Trains `network`, where it lies and in its dtype, averaging over the ranks of `communicator`,
  // which outlives the task.
  RetrainTask(const RetrainConfig& config, std::shared_ptr<DerivedNetwork> network,
              distributed::Communicator* communicator);

  std::vector<std::string> streams() const override { return {"train"}; }
  void BeginEpoch(int64_t epoch, int64_t epochs) override;

  // Metrics: loss (without the auxiliary head's), accuracy (of mixed images in what most of one
  // shows), gradient_norm (before clipping).
  absl::StatusOr<distributed::Metrics> Step(const distributed::StepContext& context,
                                            absl::Span<const distributed::Batch> batches) override;

  // Metrics: loss (without smoothing), accuracy.
  absl::StatusOr<distributed::Metrics> Evaluate(const distributed::Batch& batch) override;

  base::TensorMap State() const override;
  absl::Status LoadState(const base::TensorMap& state) override;
  nlohmann::json EpochSummary() const override;
  nlohmann::json Config() const override;

 private:
  const RetrainConfig config_;
  const std::shared_ptr<DerivedNetwork> network_;
  ParameterGroup weights_;
  distributed::GradientReducer reducer_;
  int64_t epoch_ = 0;
  double drop_path_ = 0;
};

}  // namespace nas

#endif  // NAS_LEARNING_RETRAIN_TASK_H_
