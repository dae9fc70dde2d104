// Makes a network compute over the global batch, without a word of ranks in the network.
//
//   Network network;
//   UseCommunicator(*network, &communicator);
#ifndef DISTRIBUTED_DATA_PARALLEL_USE_COMMUNICATOR_H_
#define DISTRIBUTED_DATA_PARALLEL_USE_COMMUNICATOR_H_

#include "distributed/communication/communicator.h"
#include "torch/nn/module.h"

namespace distributed {

// Gives `communicator`, which must outlive the network, to every module in `root` whose result
// depends on the whole batch: BatchNorm2d, and PrecisionConv2d for the ranges of 8-bit activations.
// From then on every rank runs the network's forward and backward in step with the others.
void UseCommunicator(torch::nn::Module& root, Communicator* communicator);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_USE_COMMUNICATOR_H_
