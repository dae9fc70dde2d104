#include "nas/space/image_kind.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace nas {

absl::string_view ImageKindName(ImageKind kind) {
  return kind == ImageKind::kCifar ? "cifar" : "imagenet";
}

absl::StatusOr<ImageKind> ParseImageKind(absl::string_view name) {
  for (const ImageKind kind : {ImageKind::kCifar, ImageKind::kImageNet}) {
    if (name == ImageKindName(kind)) return kind;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown images '", name, "'; expected cifar or imagenet"));
}

}  // namespace nas
