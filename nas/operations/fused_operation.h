// An operation as one operator of nas/fused, where that can be.
#ifndef NAS_OPERATIONS_FUSED_OPERATION_H_
#define NAS_OPERATIONS_FUSED_OPERATION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/fused/chain_spec.h"
#include "nas/fused/fused_pool.h"
#include "nas/fused/implementation.h"
#include "nas/operations/operations.h"
#include "nas/operations/unit_modules.h"

namespace nas {

class FusedOperation {
 public:
  // Its convolutions' own precisions hold, or float.
  explicit FusedOperation(std::shared_ptr<Operation> operation);

  // What the operation makes of x, channel after channel: [N, C_i, H, W] each. Where the operators
  // cannot compute it, it is computed module by module, and the log says why (once).
  at::Tensor Forward(const std::vector<at::Tensor>& x, Implementation implementation);

 private:
  // Whether all its modules are of units.
  bool FindUnits();
  // What the chain has of its convolutions now.
  void Prepare();
  std::string WhyNotFused(const at::Tensor& x);
  at::Tensor ForwardFused(const std::vector<at::Tensor>& x);

  const std::shared_ptr<Operation> operation_;
  const std::optional<fused::PoolSpec> pool_;
  std::vector<UnitModules> units_;
  fused::ChainSpec chain_;  // Without units: it is not of those.
};

}  // namespace nas

#endif  // NAS_OPERATIONS_FUSED_OPERATION_H_
