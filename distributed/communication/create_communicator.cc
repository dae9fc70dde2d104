#include "distributed/communication/create_communicator.h"

#include <utility>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator_factory.h"
#include "distributed/communication/mpi_communicator.h"
#include "distributed/communication/single_communicator.h"

namespace distributed {
absl::StatusOr<std::unique_ptr<Communicator>> CreateCommunicator(
    const CommunicatorOptions& options) {
  if (options.cuda && CudaCommunicatorFactory() == nullptr) {
    return absl::InvalidArgumentError(
        "this binary computes on the CPU: build it with --config=cuda");
  }
  std::unique_ptr<Communicator> communicator = MakeSingleCommunicator();
  if (LaunchedByMpi()) {
    ASSIGN_OR_RETURN(communicator, CreateMpiCommunicator(options.timeout));
  }
  if (!options.cuda) return communicator;
  return CudaCommunicatorFactory()(std::move(communicator), options.timeout);
}

}  // namespace distributed
