// Steers the weight of the complexity in a search's loss so that the network that the search
// derives meets a budget.
//
//   CostController controller(/*unit=*/1e-4, /*steps=*/epochs * steps_per_epoch);
//   for (each step) {
//     loss = cross_entropy + complexity * controller.weight();
//     …
//     controller.Observe(bit_ops_of_the_derived_network / budget);
//   }
//
// A proportional-integral controller on e = log2(cost / budget), limited to ±1:
//
//   weight = unit·sinh(8 e + (50 / steps) Σ e),
//
// in which sinh lets the weight take either sign and any order of magnitude: what the logits of the
// bits get from the cross-entropy depends on network and data, and a search that likes low bits
// must be paid to use its budget. The logits integrate what they are pushed by, so that the
// proportional part alone holds the cost at the budget, off by what the cross-entropy pushes; the
// integral takes that rest away. The cost is that of the largest logits, hence a step function; the
// logits of convolutions that cost much cross first and those that the cross-entropy holds stay, so
// that about the budget few of them still change sides.
//
// The norm of the logits' gradient wants to be clipped to kGradientClip: beyond it a weight of
// another order of magnitude gives the direction, but no leap to where the softmax is saturated and
// nothing leads back.
#ifndef NAS_BUDGET_COST_CONTROLLER_H_
#define NAS_BUDGET_COST_CONTROLLER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/tensor_file.h"

namespace nas {

class CostController {
 public:
  static constexpr double kGradientClip = 1;

  // `unit`: the weight that would be given without a budget, which only sets the scale.
  // `steps`: how many times a whole search observes.
  CostController(double unit, int64_t steps) : unit_(unit), gain_(50.0 / steps) {}

  double weight() const;

  // The network derived as things stand costs `excess` > 0 times its budget.
  void Observe(double excess);

  // The state as the tensor `name`.
  void AppendState(const std::string& name, base::TensorMap& state) const;
  // InvalidArgument naming the tensor if it is missing or misshapen.
  absl::Status LoadState(const std::string& name, const base::TensorMap& state);

 private:
  double unit_;
  double gain_;
  double error_ = 0;
  double integral_ = 0;
};

}  // namespace nas

#endif  // NAS_BUDGET_COST_CONTROLLER_H_
