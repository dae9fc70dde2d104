// The search of ∇QDARTS as a task: per step, alphas and betas move on a batch of the search half,
// weights and gammas on a batch of the training half (arXiv:1806.09055; QDARTS/train_search.py).
// With the single candidate of 32 bits it is the search of PC-DARTS.
#ifndef NAS_LEARNING_SEARCH_TASK_H_
#define NAS_LEARNING_SEARCH_TASK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/picture.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "distributed/data_parallel/gradient_reducer.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "nas/budget/cost_controller.h"
#include "nas/derivation/decisiveness.h"
#include "nas/derivation/derivation.h"
#include "nas/derived/architecture.h"
#include "nas/learning/architect.h"
#include "nas/learning/parameter_group.h"
#include "nas/learning/search_config.h"
#include "nas/supernet/supernet.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

class SearchTask : public distributed::Task {
 public:
  // Trains `supernet`, where it lies and in its dtype, averaging over the ranks of `communicator`,
  // which outlives the task.
  SearchTask(const SearchConfig& config, std::unique_ptr<Supernet> supernet,
             distributed::Communicator* communicator);

  std::vector<std::string> streams() const override { return {"train", "search"}; }
  void BeginEpoch(int64_t epoch, int64_t epochs) override;
  // The search half's once alphas move.
  bool UsesStream(size_t stream) const override;

  // Metrics: loss (cross-entropy, on the training batch), accuracy, complexity, gradient_norm (of
  // the weights, before clipping), gamma_gradient_norm; when alphas move, search_loss,
  // search_accuracy and alpha_gradient_norm.
  absl::StatusOr<distributed::Metrics> Step(const distributed::StepContext& context,
                                            absl::Span<const distributed::Batch> batches) override;

  // Metrics: loss, accuracy of the supernet.
  absl::StatusOr<distributed::Metrics> Evaluate(const distributed::Batch& batch) override;

  base::TensorMap State() const override;
  absl::Status LoadState(const base::TensorMap& state) override;
  nlohmann::json EpochSummary() const override;
  nlohmann::json Config() const override;

  // The cells that the alphas and betas choose now: "cells/normal", "cells/reduction"; none if they
  // are not finite.
  std::map<std::string, base::Picture> Pictures() const override;

  // What the search has found so far, on the budget if there is one. InvalidArgument if an alpha,
  // beta or gamma is not finite, or as from DeriveArchitecture.
  absl::StatusOr<Architecture> CurrentArchitecture() const;

  // How much of the logits' choices is not the initial draw's. InvalidArgument if a logit is not
  // finite.
  absl::StatusOr<std::map<std::string, Decisiveness>> CurrentDecisiveness() const;

 private:
  bool AlphasMove() const { return epoch_ >= config_.alpha_begin; }
  absl::Status StepArchitecture(const distributed::Batch& train, const distributed::Batch& search,
                                distributed::Metrics& metrics);
  absl::Status StepWeights(const distributed::Batch& train, distributed::Metrics& metrics);
  absl::StatusOr<std::vector<at::Tensor>> ArchitectureGradients(const distributed::Batch& train,
                                                                const distributed::Batch& search,
                                                                distributed::Metrics& metrics);
  LookAhead MakeLookAhead() const;
  DerivationOptions Derivation() const;
  // How many times the network of the largest logits is over its budget.
  absl::StatusOr<double> Excess() const;

  const SearchConfig config_;
  const std::unique_ptr<Supernet> supernet_;
  const base::TensorMap start_;  // Alphas, betas and gammas; the seed's, so that no state keeps it.
  distributed::Communicator* const communicator_;
  CostController controller_;
  ParameterGroup weights_, alphas_, gammas_;
  distributed::GradientReducer reducer_;  // Of weights and gammas.
  int64_t epoch_ = 0;
  double epoch_share_ = 1;  // Of the step, see distributed::StepContext.
};

}  // namespace nas

#endif  // NAS_LEARNING_SEARCH_TASK_H_
