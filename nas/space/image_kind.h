// Which images a network is made for, hence its stem and heads.
#ifndef NAS_SPACE_IMAGE_KIND_H_
#define NAS_SPACE_IMAGE_KIND_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nas {

enum class ImageKind { kCifar, kImageNet };

// "cifar" or "imagenet".
absl::string_view ImageKindName(ImageKind kind);

// InvalidArgument, listing the known names, for any other.
absl::StatusOr<ImageKind> ParseImageKind(absl::string_view name);

}  // namespace nas

#endif  // NAS_SPACE_IMAGE_KIND_H_
