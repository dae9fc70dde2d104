#include "nas/supernet/supernet_config.h"

#include <cstdint>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "nas/space/image_kind.h"
#include "nas/supernet/precision_parameters.h"
#include "quant/lattice.h"

namespace nas {

absl::Status SupernetConfig::Check() const {
  const auto positive = [](absl::string_view field, int64_t value) {
    if (value > 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(field, " is ", value, ", allowed are 1 or more"));
  };
  RETURN_IF_ERROR(positive("layers", layers));
  RETURN_IF_ERROR(positive("classes", classes));
  if (partial_channels < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("partial_channels is ", partial_channels, ", allowed are 2 or more"));
  }
  // An edge processes at least two channels: the standard deviation by which a 1x1 convolution's
  // weight is quantized needs more than one. A factorized reduce halves the cell's channels where
  // the cell before halved the size, and the processed ones in reduction cells, whose channels are
  // twice those before.
  const bool halved_first = images == ImageKind::kImageNet;
  const int64_t step =
      halved_first && partial_channels % 2 == 1 ? 2 * partial_channels : partial_channels;
  if (channels % step != 0 || channels < 2 * partial_channels) {
    const int64_t least = 2 * partial_channels;
    return absl::InvalidArgumentError(absl::StrCat(
        "channels is ", channels, ", allowed for ", ImageKindName(images),
        " with partial_channels ", partial_channels, " are the multiples of ", step, " from ",
        least, ": ", least, ", ", least + step, ", ", least + 2 * step, ", ..."));
  }
  if (bits.empty()) return absl::InvalidArgumentError("bits is empty, at least one is needed");
  std::set<int64_t> seen;
  for (const int64_t b : bits) {
    if (!quant::IsSupportedBits(b)) {
      return absl::InvalidArgumentError(absl::StrCat("bits has ", b, ", allowed are ",
                                                     quant::kSupportedBits, " (not quantized)"));
    }
    if (!seen.insert(b).second) {
      return absl::InvalidArgumentError(absl::StrCat("bits has ", b, " twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status SupernetConfig::CheckImageSide(int64_t side) const {
  // The stem halves it three times for ImageNet, each reduction cell once.
  const int64_t factor = (images == ImageKind::kImageNet ? 8 : 1)
                         << CellCount::OfLayers(layers).reduction;
  if (side > 0 && side % factor == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the side of the images is ", side,
                                                 ", allowed with layers ", layers,
                                                 " are multiples of ", factor));
}

}  // namespace nas
