// The name by which messages call this machine.
#ifndef DISTRIBUTED_COMMUNICATION_HOST_NAME_H_
#define DISTRIBUTED_COMMUNICATION_HOST_NAME_H_

#include <string>

namespace distributed {

std::string HostName();

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_HOST_NAME_H_
