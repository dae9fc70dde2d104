// The names that flags had once. They are refused with the new one, so that a script of old says
// what to change; docs/flags.md explains the vocabulary.
#ifndef TOOLS_FLAGS_RENAMED_FLAGS_H_
#define TOOLS_FLAGS_RENAMED_FLAGS_H_

#include "absl/strings/string_view.h"

namespace tools {

// The name of today for `flag`, which no program may define any more; "" if it was never renamed.
absl::string_view NewNameOf(absl::string_view flag);

}  // namespace tools

#endif  // TOOLS_FLAGS_RENAMED_FLAGS_H_
