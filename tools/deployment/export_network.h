// What export does: a trained network into a file for other programs.
#ifndef TOOLS_DEPLOYMENT_EXPORT_NETWORK_H_
#define TOOLS_DEPLOYMENT_EXPORT_NETWORK_H_

#include "absl/status/status.h"

namespace tools {

// From --weights, --format, --output, --calibration_data and the flags of the architecture. Writes
// all of the file or nothing. InvalidArgument naming the flag that is wrong, or the convolution
// that the format cannot express (nas/deployment/lowering.h).
absl::Status ExportNetwork();

}  // namespace tools

#endif  // TOOLS_DEPLOYMENT_EXPORT_NETWORK_H_
