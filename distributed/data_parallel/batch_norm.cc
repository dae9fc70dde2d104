#include "distributed/data_parallel/batch_norm.h"

#include "distributed/data_parallel/folded_batch_norm.h"
#include "distributed/data_parallel/sync_batch_norm.h"
#include "quant/exact_sums.h"

namespace distributed {

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  if (!is_training() && quant::ExactSumsGuard::IsActive()) {
    return Tapped(FoldBatchNorm(weight, bias, running_mean, running_var, options.eps()).Apply(x));
  }
  if (communicator_ == nullptr || !is_training()) {
    return Tapped(BatchNormImplBase::forward(x));
  }
  _check_input_dim(x);
  num_batches_tracked += 1;
  return Tapped(SyncBatchNorm(*communicator_, x, weight, bias, running_mean, running_var,
                              options.momentum().value(), options.eps()));
}

void BatchNorm2dImpl::_check_input_dim(const at::Tensor& x) {
  TORCH_CHECK(x.dim() == 4, "expected a 4-dimensional input, got one of ", x.dim(), " dimensions");
}

}  // namespace distributed
