#include "distributed/create_communicator.h"

#include <utility>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "distributed/mpi_communicator.h"
#include "distributed/single_communicator.h"

namespace distributed {
namespace {

DeviceCommunicatorFactory& CudaFactory() {
  static DeviceCommunicatorFactory factory = nullptr;
  return factory;
}

}  // namespace

bool RegisterCudaCommunicator(DeviceCommunicatorFactory factory) {
  CudaFactory() = factory;
  return true;
}

absl::StatusOr<std::unique_ptr<Communicator>> CreateCommunicator(
    const CommunicatorOptions& options) {
  if (options.cuda && CudaFactory() == nullptr) {
    return absl::InvalidArgumentError(
        "this binary computes on the CPU: build it with --config=cuda");
  }
  std::unique_ptr<Communicator> communicator = MakeSingleCommunicator();
  if (LaunchedByMpi()) {
    ASSIGN_OR_RETURN(communicator, CreateMpiCommunicator(options.timeout));
  }
  if (!options.cuda) return communicator;
  return CudaFactory()(std::move(communicator), options.timeout);
}

}  // namespace distributed
