// The batch normalization layer of every network here: torch::nn::BatchNorm2d, over all ranks.
//
//   Network network;                               // contains BatchNorm2d; knows nothing of ranks
//   UseCommunicator(*network, &communicator);      // now its statistics are those of the global
//   batch
#ifndef DISTRIBUTED_DATA_PARALLEL_BATCH_NORM_H_
#define DISTRIBUTED_DATA_PARALLEL_BATCH_NORM_H_

#include "ATen/core/Tensor.h"
#include "base/output_tap.h"
#include "distributed/communication/communicator.h"
#include "torch/nn/modules/batchnorm.h"

namespace distributed {

// Parameters, buffers, names and, without a communicator or with one of a single rank, bits are
// those of torch::nn::BatchNorm2d.
class BatchNorm2dImpl : public torch::nn::BatchNormImplBase<2, BatchNorm2dImpl>,
                        public base::OutputTap {
 public:
  using torch::nn::BatchNormImplBase<2, BatchNorm2dImpl>::BatchNormImplBase;

  // x and the result: [N, C, H, W].
  at::Tensor forward(const at::Tensor& x);

  // Statistics are from now on those of the global batch. The communicator must outlive the module;
  // UseCommunicator gives one to all layers of a network.
  void set_communicator(Communicator* communicator) { communicator_ = communicator; }
  Communicator* communicator() const { return communicator_; }  // Null: this rank's own.

 protected:
  void _check_input_dim(const at::Tensor& x) override;

 private:
  Communicator* communicator_ = nullptr;
};
TORCH_MODULE(BatchNorm2d);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_BATCH_NORM_H_
