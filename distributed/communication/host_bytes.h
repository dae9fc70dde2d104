// What one rank of a host finds out for all of its ranks.
#ifndef DISTRIBUTED_COMMUNICATION_HOST_BYTES_H_
#define DISTRIBUTED_COMMUNICATION_HOST_BYTES_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/shared_bytes.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// The bytes that `make` returns on the first rank of each host, in memory that all ranks of the
// host map: sealed, so that nobody can change or shorten it, and gone with the last of them however
// it ends. Every rank calls it. An error of `make` is that of all ranks. A rank that cannot reach
// the memory, as ranks in containers of their own, calls `make` itself.
absl::StatusOr<base::SharedBytes> ShareOnHost(
    Communicator& communicator, const std::function<absl::StatusOr<std::string>()>& make);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_HOST_BYTES_H_
