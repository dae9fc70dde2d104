// The search for the bits of a fixed network as a task: weights and bit logits move together, on
// the same batches (QSubNet/search_cifar.py).
#ifndef NAS_LEARNING_PRECISION_SEARCH_TASK_H_
#define NAS_LEARNING_PRECISION_SEARCH_TASK_H_

#include <cstdint>
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
#include "nas/budget/cost_controller.h"
#include "nas/budget/cost_target.h"
#include "nas/derived/architecture.h"
#include "nas/derived/precision_search_network.h"
#include "nas/learning/parameter_group.h"
#include "nas/learning/schedules.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

struct PrecisionSearchConfig {
  BitCandidates bits = {};
  bool random = false;  // Logits begin as N(0, 1), not all alike: without a step, random bits.
  quant::CostModel cost_model = quant::CostModel::kExact;

  // SGD for the weights, and another for the bit logits.
  Schedule weight_rate;
  Schedule alpha_rate;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  double grad_clip = 5;  // Of the gradient's norm over all weights; 0: not clipped.

  double auxiliary_weight = 0.4;  // Of the auxiliary head's loss, if the network has one.
  // What a unit of complexity costs in the loss; with a target, where the steering begins.
  double complexity_decay = 0.00335;
  CostTarget target;
  int64_t steps = 0;  // Of the whole search; only the steering needs it.
};

nlohmann::json ToJson(const PrecisionSearchConfig& config);

class PrecisionSearchTask : public distributed::Task {
 public:
  // Trains `network`, where it lies and in its dtype, averaging over the ranks of `communicator`,
  // which outlives the task.
  PrecisionSearchTask(const PrecisionSearchConfig& config, std::shared_ptr<DerivedNetwork> network,
                      distributed::Communicator* communicator);

  std::vector<std::string> streams() const override { return {"train"}; }
  void BeginEpoch(int64_t epoch, int64_t epochs) override;

  // Metrics: loss (cross-entropy only), accuracy, complexity, gradient_norm (of the weights, before
  // clipping), alpha_gradient_norm.
  absl::StatusOr<distributed::Metrics> Step(const distributed::StepContext& context,
                                            absl::Span<const distributed::Batch> batches) override;

  // Metrics: loss, accuracy of the mixture.
  absl::StatusOr<distributed::Metrics> Evaluate(const distributed::Batch& batch) override;

  base::TensorMap State() const override;
  absl::Status LoadState(const base::TensorMap& state) override;
  nlohmann::json EpochSummary() const override;
  nlohmann::json Config() const override;

  // The network with the bits of the largest logits, settled on the budget if there is one
  // (nas/budget/settle_on_budget.h), and this search's configuration.
  absl::StatusOr<Architecture> CurrentArchitecture() const;

 private:
  const PrecisionSearchConfig config_;
  PrecisionSearchNetwork network_;
  CostController controller_;
  ParameterGroup weights_, alphas_;
  distributed::GradientReducer reducer_;
  int64_t epoch_ = 0;
};

}  // namespace nas

#endif  // NAS_LEARNING_PRECISION_SEARCH_TASK_H_
