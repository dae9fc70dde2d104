#include "distributed/batch_norm.h"

#include <memory>

#include "distributed/sync_batch_norm.h"

namespace distributed {

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  if (communicator_ == nullptr || communicator_->size() == 1 || !is_training()) {
    return BatchNormImplBase::forward(x);
  }
  _check_input_dim(x);
  num_batches_tracked += 1;
  return SyncBatchNorm(*communicator_, x, weight, bias, running_mean, running_var,
                       options.momentum().value(), options.eps());
}

void BatchNorm2dImpl::_check_input_dim(const at::Tensor& x) {
  TORCH_CHECK(x.dim() == 4, "expected a 4-dimensional input, got one of ", x.dim(), " dimensions");
}

void UseCommunicator(torch::nn::Module& root, Communicator* communicator) {
  if (auto* batch_norm = root.as<BatchNorm2dImpl>()) batch_norm->set_communicator(communicator);
  for (const std::shared_ptr<torch::nn::Module>& child : root.children()) {
    UseCommunicator(*child, communicator);
  }
}

}  // namespace distributed
