// What a network consists of for who counts its costs: its convolutions by name, and their sizes.
#ifndef NAS_NETWORKS_NETWORK_LAYOUT_H_
#define NAS_NETWORKS_NETWORK_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quant/bit_cost.h"

namespace nas {

struct ConvBits {
  int64_t activation = 32;  // 32: not quantized.
  int64_t weight = 32;
  bool operator==(const ConvBits&) const = default;
};

// A convolution whose bits are chosen.
struct ConvSite {
  std::string name;                 // "cells.3._ops.5.conv1"
  std::optional<size_t> operation;  // Of a cell: index of the one it belongs to.
  quant::ConvShape shape;
  bool auxiliary = false;  // Belongs to an auxiliary head, which only training runs.
  // What it reads: "cells.2", the output of a cell, "cells.3.states.1", a node or preprocessed
  // input, "layer2.0.bn0", a module's output; its own name if it alone reads it.
  std::string tensor = {};
};

// What stays in float; a linear classifier counts as a 1x1 convolution of a single pixel.
struct FloatConvSite {
  std::string name;  // "stem.0"
  bool auxiliary;    // Belongs to an auxiliary head, which only training runs.
  quant::ConvShape shape;
};

struct NetworkLayout {
  // In the order of the network's modules.
  std::vector<ConvSite> convs;
  std::vector<FloatConvSite> float_convs;
  // Weights, biases, and scales and shifts of batch normalizations.
  int64_t num_parameters = 0;  // Without auxiliary heads.
  int64_t num_auxiliary_parameters = 0;
};

}  // namespace nas

#endif  // NAS_NETWORKS_NETWORK_LAYOUT_H_
