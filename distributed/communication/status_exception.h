// How an absl::Status leaves code that can only throw: LibTorch's forward and backward functions.
// Trainer turns it back into a Status, so that no other code needs to catch.
#ifndef DISTRIBUTED_COMMUNICATION_STATUS_EXCEPTION_H_
#define DISTRIBUTED_COMMUNICATION_STATUS_EXCEPTION_H_

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace distributed {

class StatusException : public std::runtime_error {
 public:
  explicit StatusException(absl::Status status)
      : std::runtime_error(status.ToString()), status_(std::move(status)) {}

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

inline void ThrowIfError(absl::Status status) {
  if (!status.ok()) throw StatusException(std::move(status));
}

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_STATUS_EXCEPTION_H_
