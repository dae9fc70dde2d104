// What convert does: between our files and those of the published code.
#ifndef TOOLS_DEPLOYMENT_CONVERT_FILES_H_
#define TOOLS_DEPLOYMENT_CONVERT_FILES_H_

#include "absl/status/status.h"

namespace tools {

// From --format, --output, --weights and the flags of the architecture. Writes all of the file or
// nothing. InvalidArgument naming the flag that is missing or wrong, or the file and what of it
// does not fit.
absl::Status ConvertFiles();

}  // namespace tools

#endif  // TOOLS_DEPLOYMENT_CONVERT_FILES_H_
