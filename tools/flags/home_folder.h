// ~ in the values of flags, which no shell replaces behind a '='.
#ifndef TOOLS_FLAGS_HOME_FOLDER_H_
#define TOOLS_FLAGS_HOME_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tools {

// `path` with $HOME for a ~ at its beginning. InvalidArgument for ~name, and for ~ without $HOME.
absl::StatusOr<std::string> ExpandHome(const std::string& path);

// The same in every text flag of ours; errors name the flag.
absl::Status ExpandHomeInFlags();

}  // namespace tools

#endif  // TOOLS_FLAGS_HOME_FOLDER_H_
