// The operations that an edge of a cell may carry, and their published names.
//
// The order of the search primitives is the order of alpha's columns and of the modules of a mixed
// edge: files and genotypes of the published code depend on it.
#ifndef NAS_SPACE_PRIMITIVES_H_
#define NAS_SPACE_PRIMITIVES_H_

#include <array>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nas {

enum class Primitive {
  kNone,
  kMaxPool3x3,
  kAvgPool3x3,
  kSkipConnect,
  kSepConv3x3,
  kSepConv5x5,
  kDilConv3x3,
  kDilConv5x5,
  // Not searched; in the published NASNet and AmoebaNet genotypes.
  kSepConv7x7,
  kConv7x1_1x7,
};

// The searched primitives, in the order of alpha's columns (DARTS, arXiv:1806.09055).
inline constexpr std::array kSearchPrimitives = {
    Primitive::kNone,       Primitive::kMaxPool3x3, Primitive::kAvgPool3x3, Primitive::kSkipConnect,
    Primitive::kSepConv3x3, Primitive::kSepConv5x5, Primitive::kDilConv3x3, Primitive::kDilConv5x5};
inline constexpr int kNumSearchPrimitives = kSearchPrimitives.size();

// Rows of a gamma tensor's third dimension. One more than there are primitives with convolutions:
// the published code never reads row 4, and files keep it.
inline constexpr int kNumGammaRows = 6;

// "sep_conv_3x3" and the like, as genotypes are published.
absl::string_view PrimitiveName(Primitive primitive);

// The primitive of that name; InvalidArgument, listing the known names, if there is none.
absl::StatusOr<Primitive> ParsePrimitive(absl::string_view name);

// The row of a gamma tensor that decides the bits of the primitive's convolutions; none for
// primitives that never have a convolution or were not searched.
constexpr std::optional<int> GammaRow(Primitive primitive) {
  switch (primitive) {
    case Primitive::kSepConv3x3:
      return 0;
    case Primitive::kSepConv5x5:
      return 1;
    case Primitive::kDilConv3x3:
      return 2;
    case Primitive::kDilConv5x5:
      return 3;
    case Primitive::kSkipConnect:  // A factorized reduce at stride 2; at stride 1 it is not read.
      return 5;
    default:
      return std::nullopt;
  }
}

}  // namespace nas

#endif  // NAS_SPACE_PRIMITIVES_H_
