// Writing to an open file.
#ifndef BASE_WRITE_ALL_H_
#define BASE_WRITE_ALL_H_

#include "absl/strings/string_view.h"

namespace base {

// Writes all of `bytes` to `fd`. False, with errno, if that fails.
bool WriteAll(int fd, absl::string_view bytes);

}  // namespace base

#endif  // BASE_WRITE_ALL_H_
