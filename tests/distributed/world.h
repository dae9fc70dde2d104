// The communicator of a test that runs as several ranks, and where its tensors are;
// mpi_test_main.cc makes it. With --cuda it is NCCL's, for tensors on a CUDA device.
#ifndef TESTS_DISTRIBUTED_WORLD_H_
#define TESTS_DISTRIBUTED_WORLD_H_

#include "ATen/core/Tensor.h"
#include "distributed/communication/communicator.h"

namespace distributed {

Communicator& World();
at::Device WorldDevice();

}  // namespace distributed

#endif  // TESTS_DISTRIBUTED_WORLD_H_
