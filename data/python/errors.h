// Errors from outside as Python's exceptions.
#ifndef DATA_PYTHON_ERRORS_H_
#define DATA_PYTHON_ERRORS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace data {

// Raises what stands for `status`, with its words, unless it is OK: ValueError for InvalidArgument
// and its like, FileNotFoundError, PermissionError, nqdarts.data.DamagedSampleError for DataLoss,
// OSError for the rest. With the GIL held.
void RaiseIfError(const absl::Status& status);

template <typename T>
T ValueOrRaise(absl::StatusOr<T> value) {
  RaiseIfError(value.status());
  return *std::move(value);
}

}  // namespace data

#endif  // DATA_PYTHON_ERRORS_H_
