// What a derived network consists of, worked out without building it: its cells, operations and
// convolutions by name, and the size of every convolution.
#ifndef NAS_DERIVED_DERIVED_LAYOUT_H_
#define NAS_DERIVED_DERIVED_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nas/networks/network_layout.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"

namespace nas {

struct NetworkShape {
  ImageKind images = ImageKind::kCifar;
  int64_t image_side = 32;
  int64_t channels = 36;  // Of a node in the first cell.
  int layers = 20;        // Cells.
  int64_t classes = 10;
  bool auxiliary = false;  // Whether there is an auxiliary head to train with.
  // Whether the convolutions of stem and auxiliary head have bits like those of the cells, as in
  // the published FBQAT and QSubNet (there, the stem's clamp cuts negative pixels away).
  bool quantize_stem = false;

  bool operator==(const NetworkShape&) const = default;

  // OK, or InvalidArgument naming the field, its value and the allowed ones.
  absl::Status Check() const;
  // The same of image_side and classes alone.
  absl::Status CheckImagesAndClasses() const;
};

// The cell whose output feeds the auxiliary head.
constexpr int AuxiliaryCell(int layers) { return 2 * layers / 3; }

struct CellSite {
  bool reduction;           // Halves the resolution.
  bool previous_reduction;  // Input 0 is twice as large as input 1.
  int64_t input0_channels;
  int64_t input1_channels;
  int64_t channels;  // Of each node.
  int64_t input1_side;
  int64_t output_channels;
};

// A preprocessing of a cell's input, or an edge of its genotype. Its convolutions share their bits.
struct OperationSite {
  std::string name;  // "cells.3.preprocess0" or "cells.3._ops.5"
  int cell;
  int position;                      // Of the input, or of the edge in the genotype.
  std::optional<GenotypeEdge> edge;  // Unless it is a preprocessing.
};

struct DerivedLayout : NetworkLayout {
  std::vector<CellSite> cells = {};
  // Cell by cell: preprocess0, preprocess1, then the edges as the genotype lists them.
  std::vector<OperationSite> operations = {};
};

// InvalidArgument as from ValidateGenotype and NetworkShape::Check.
absl::StatusOr<DerivedLayout> MakeDerivedLayout(const Genotype& genotype,
                                                const NetworkShape& shape);

}  // namespace nas

#endif  // NAS_DERIVED_DERIVED_LAYOUT_H_
