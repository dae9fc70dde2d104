// Whether results can be written, asked before they are computed.
#ifndef TOOLS_FLAGS_OUTPUT_PATHS_H_
#define TOOLS_FLAGS_OUTPUT_PATHS_H_

#include <string>

#include "absl/status/status.h"

namespace tools {

// OK for an empty `path`. InvalidArgument naming the flag: `path` is a folder, or its folder does
// not exist or may not be written to.
absl::Status RequireWritableFile(const std::string& flag, const std::string& path);

// InvalidArgument naming the flag: `path` is no folder, or it, or the nearest folder above it that
// exists, may not be written to.
absl::Status RequireWritableFolder(const std::string& flag, const std::string& path);

}  // namespace tools

#endif  // TOOLS_FLAGS_OUTPUT_PATHS_H_
