// What predict does: a packed network on images or a data set, without LibTorch.
#ifndef TOOLS_DEPLOYMENT_PREDICT_IMAGES_H_
#define TOOLS_DEPLOYMENT_PREDICT_IMAGES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace tools {

// Runs --network on the image files `paths`, or on --data, which takes their place. Prints a line
// for each image, or accuracy and loss. Errors name the flag or the file.
absl::Status PredictImages(const std::vector<std::string>& paths);

}  // namespace tools

#endif  // TOOLS_DEPLOYMENT_PREDICT_IMAGES_H_
