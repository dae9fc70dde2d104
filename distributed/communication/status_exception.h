// How an absl::Status leaves code that can only throw: LibTorch's forward and backward functions.
// CatchErrors turns it back into a Status.
#ifndef DISTRIBUTED_COMMUNICATION_STATUS_EXCEPTION_H_
#define DISTRIBUTED_COMMUNICATION_STATUS_EXCEPTION_H_

#include <exception>
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

// The result of `body`, whose exceptions (LibTorch's, and ours that passed through LibTorch) become
// errors.
template <typename Body>
auto CatchErrors(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const StatusException& error) {
    return error.status();
  } catch (const std::exception& error) {
    const std::string what = error.what();  // Its first line; a C++ stack follows.
    return absl::InternalError(what.substr(0, what.find('\n')));
  }
}

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_STATUS_EXCEPTION_H_
