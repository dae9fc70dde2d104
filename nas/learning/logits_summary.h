// The logits of a search (alphas, betas, gammas) for the lines of metrics.jsonl.
#ifndef NAS_LEARNING_LOGITS_SUMMARY_H_
#define NAS_LEARNING_LOGITS_SUMMARY_H_

#include <initializer_list>

#include "nlohmann/json_fwd.hpp"
#include "torch/nn/module.h"

namespace nas {

// {"alphas_normal": [[…], …], …}: every parameter of `modules` by its name, in lists nested as its
// shape, rounded to six digits; null where an entry is not finite.
nlohmann::json LogitsSummary(std::initializer_list<const torch::nn::Module*> modules);

}  // namespace nas

#endif  // NAS_LEARNING_LOGITS_SUMMARY_H_
