// For checks, whose exceptions fail the file that they are about.
#ifndef TESTS_GOLDEN_FRAME_VALUE_OR_THROW_H_
#define TESTS_GOLDEN_FRAME_VALUE_OR_THROW_H_

#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"

namespace golden {

// The value; throws std::invalid_argument with the error's text if there is none.
template <typename T>
T ValueOrThrow(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::invalid_argument(value.status().ToString());
  return *std::move(value);
}

}  // namespace golden

#endif  // TESTS_GOLDEN_FRAME_VALUE_OR_THROW_H_
