// RETURN_IF_ERROR and ASSIGN_OR_RETURN for absl::Status, which absl does not ship.
#ifndef BASE_STATUS_MACROS_H_
#define BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function with the status of `expr` unless it is OK.
#define RETURN_IF_ERROR(expr)                                               \
  do {                                                                      \
    if (absl::Status status_macro_value = (expr); !status_macro_value.ok()) \
      return status_macro_value;                                            \
  } while (false)

// Assigns the value of the StatusOr `expr` to `lhs` (a declaration or an lvalue), or returns its
// status:  ASSIGN_OR_RETURN(std::string text, ReadFile(path));
#define ASSIGN_OR_RETURN(lhs, expr) \
  STATUS_MACROS_ASSIGN_(STATUS_MACROS_CONCAT_(status_or_value_, __LINE__), lhs, expr)

#define STATUS_MACROS_ASSIGN_(temporary, lhs, expr)          \
  auto temporary = (expr);                                   \
  if (!temporary.ok()) return std::move(temporary).status(); \
  lhs = *std::move(temporary)

#define STATUS_MACROS_CONCAT_(a, b) STATUS_MACROS_CONCAT_INNER_(a, b)
#define STATUS_MACROS_CONCAT_INNER_(a, b) a##b

#endif  // BASE_STATUS_MACROS_H_
