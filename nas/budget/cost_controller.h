// Steers the weight of the complexity in a search's loss so that the network that the search
// derives meets a budget; without a budget the weight is constant.
//
//   CostController controller(target, /*decay=*/1e-4, /*steps=*/epochs * steps_per_epoch);
//   for (each step) {
//     loss = cross_entropy + complexity * controller.weight();
//     …
//     if (controller.steers()) controller.Observe(target.Excess(layout, bits));
//   }
//
// A proportional-integral controller on e = log2(cost / budget), limited to ±1:
//
//   weight = decay·sinh(8 e + (50 / steps) Σ e),
//
// in which sinh lets the weight take either sign and any order of magnitude: what the logits of the
// bits get from the cross-entropy depends on network and data, and a search that likes low bits
// must be paid to use its budget. The logits integrate what they are pushed by, so that the
// proportional part alone holds the cost at the budget, off by what the cross-entropy pushes; the
// integral takes that rest away. The cost is that of the largest logits, hence a step function; the
// logits of convolutions that cost much cross first and those that the cross-entropy holds stay, so
// that about the budget few of them still change sides.
//
// The norm of the logits' gradient wants to be clipped (gradient_clip()): beyond that a weight of
// another order of magnitude gives the direction, but no leap to where the softmax is saturated and
// nothing leads back.
#ifndef NAS_BUDGET_COST_CONTROLLER_H_
#define NAS_BUDGET_COST_CONTROLLER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "nas/budget/cost_target.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

class CostController {
 public:
  // `decay`: the weight without a budget; with one it only sets the scale, and the weight is 0
  // until the first observation. `steps`: how many times a whole search observes.
  CostController(const CostTarget& target, double decay, int64_t steps)
      : steers_(target.is_set()), decay_(decay), gain_(50.0 / steps) {}

  bool steers() const { return steers_; }
  double weight() const;

  // The bound that the norm of the logits' gradient wants; 0: none.
  double gradient_clip() const { return steers_ ? kGradientClip : 0; }

  // The network derived as things stand costs `excess` > 0 times its budget. It steers.
  void Observe(double excess);

  // Adds what a finished epoch says of the steering, if there is any: "complexity_weight" and, once
  // observed, "times_over_target".
  void AppendSummary(nlohmann::json& summary) const;

  // The state, if it steers, beside those of the optimizers.
  void AppendState(base::TensorMap& state) const;
  // InvalidArgument naming the tensor if it is missing or misshapen.
  absl::Status LoadState(const base::TensorMap& state);

 private:
  static constexpr double kGradientClip = 1;

  bool steers_;
  double decay_;
  double gain_;
  double excess_ = 0;  // As observed last; 0 before.
  double integral_ = 0;
};

}  // namespace nas

#endif  // NAS_BUDGET_COST_CONTROLLER_H_
