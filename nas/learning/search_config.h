// What decides a search.
#ifndef NAS_LEARNING_SEARCH_CONFIG_H_
#define NAS_LEARNING_SEARCH_CONFIG_H_

#include <cstdint>

#include "nas/budget/cost_target.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derived/derived_layout.h"
#include "nas/learning/schedules.h"
#include "nas/supernet/supernet_config.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

struct SearchConfig {
  SupernetConfig supernet;

  // Weights: SGD. The gradient's norm over all weights is clipped to weight_grad_clip.
  Schedule weight_rate;
  double momentum = 0.9;
  double weight_decay = 3e-4;
  double weight_grad_clip = 5;  // 0: not clipped.

  // Alphas and betas: Adam with betas (0.5, 0.999), from epoch alpha_begin on.
  int64_t alpha_begin = 15;
  Schedule alpha_rate = {.shape = Schedule::Shape::kConstant, .base = 6e-4};
  double alpha_weight_decay = 1e-3;
  double alpha_grad_clip = 0;  // 0: not clipped. At most 1 for a target that alphas feel.
  bool second_order = false;

  // Gammas: SGD with the weights' momentum (published) or Adam with alphas' betas, on the weights'
  // batches.
  enum class GammaOptimizer { kSgd, kAdam };
  GammaOptimizer gamma_optimizer = GammaOptimizer::kSgd;
  Schedule gamma_rate;
  double gamma_weight_decay = 1e-3;
  // What a unit of complexity costs in the loss; with a target, the scale of it.
  double complexity_decay = 1e-4;

  // The network that the search stands for, and its budget.
  NetworkShape derived;
  DepthRule depth_rule = DepthRule::kPublished;
  CostTarget target;
  int64_t steps = 0;  // In which alphas move; only the steering towards a target needs it.
};

// Every field by its name, for checkpoints and architecture files.
nlohmann::json ToJson(const SearchConfig& config);

}  // namespace nas

#endif  // NAS_LEARNING_SEARCH_CONFIG_H_
