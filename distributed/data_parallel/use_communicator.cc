#include "distributed/data_parallel/use_communicator.h"

#include "ATen/core/Tensor.h"
#include "distributed/data_parallel/batch_norm.h"
#include "distributed/data_parallel/global_range.h"
#include "quant/precision_conv.h"

namespace distributed {

void UseCommunicator(torch::nn::Module& root, Communicator* communicator) {
  if (communicator->size() == 1) return;
  root.apply([communicator](torch::nn::Module& module) {
    if (auto* batch_norm = module.as<BatchNorm2dImpl>()) {
      batch_norm->set_communicator(communicator);
    } else if (auto* conv = module.as<quant::PrecisionConv2dImpl>()) {
      conv->set_range_of(
          [communicator](const at::Tensor& x) { return GlobalRange(*communicator, x); });
    }
  });
}

}  // namespace distributed
