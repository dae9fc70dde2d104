// The communicator of a job of one process: every collective returns at once.
#ifndef DISTRIBUTED_COMMUNICATION_SINGLE_COMMUNICATOR_H_
#define DISTRIBUTED_COMMUNICATION_SINGLE_COMMUNICATOR_H_

#include <memory>

#include "distributed/communication/communicator.h"

namespace distributed {

std::unique_ptr<Communicator> MakeSingleCommunicator();

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_SINGLE_COMMUNICATOR_H_
