// The architecture file: what a search hands to training, evaluation and reports.
//
//   {
//     "format": "nqdarts architecture",
//     "version": 1,
//     "build_id": "…",
//     "network": {"images": "cifar", "image_side": 32, "channels": 36, "layers": 20, …},
//     "genotype": {"normal": [["sep_conv_3x3", 1], …], "normal_concat": [2, 3, 4, 5], …},
//     "bits": {"cells.0.preprocess0.conv": [2, 4], …},   activation, weight of every convolution
//     "search": {…},                                     the search's configuration
//     "cost": {…}                                        nas/derived/cost_report.h, and the
//   }                                                    convolutions' (conv_costs.h)
//
// That of a network whose structure is given (nas/networks/fixed_networks.h) is of another format,
// "nqdarts fixed network", and differs in what says which network it is:
//
//     "network": {"name": "edmips_resnet18", "images": "imagenet", "image_side": 224, …},
#ifndef NAS_DERIVED_ARCHITECTURE_H_
#define NAS_DERIVED_ARCHITECTURE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/genotype.h"
#include "nlohmann/json.hpp"
#include "quant/lattice.h"

namespace nas {

struct Architecture {
  // Of a fixed network, only images, image_side and classes count.
  NetworkShape network;
  Genotype genotype = {};
  // Of every convolution in DerivedLayout::convs, in that order.
  std::vector<ConvBits> bits = {};
  quant::EightBit eight_bit = quant::EightBit::kPublished;
  // An object; how the search was configured, empty if there was none.
  nlohmann::ordered_json search = nlohmann::ordered_json::object();
  // The name of a network whose structure is given; then there is no genotype. Else empty.
  std::string fixed_network = {};
};

// What it consists of. InvalidArgument as from MakeDerivedLayout, LayoutOfGraph and
// FixedNetworkGraph.
absl::StatusOr<DerivedLayout> LayoutOf(const Architecture& architecture);

// `architecture` with all convolutions alike.
absl::StatusOr<Architecture> WithBits(Architecture architecture, ConvBits bits);

// What WriteArchitecture's file is called in a run's folder: architecture.json, or network.json for
// a fixed network.
std::string ArchitectureFileName(const Architecture& architecture);

// A fixed network with all convolutions alike.
absl::StatusOr<Architecture> FixedArchitecture(const std::string& fixed_network, int64_t image_side,
                                               int64_t classes, ConvBits bits);

// All convolutions alike: 32/32 is the float network, 2/2 or 4/4 a fixed-bit one.
absl::StatusOr<Architecture> UniformArchitecture(const Genotype& genotype,
                                                 const NetworkShape& network, ConvBits bits);

// OK, or InvalidArgument naming the field: the genotype and network are valid, and every
// convolution has supported bits.
absl::Status ValidateArchitecture(const Architecture& architecture);

// The file's text, with the cost report and this binary's build id; a key or list per line, in a
// fixed order, so that files can be compared line by line.
std::string ArchitectureToText(const Architecture& architecture);

// InvalidArgument names the field and what was expected: malformed JSON, a newer version, a
// missing, unknown or misspelled field, convolutions that are missing or that the genotype does not
// have, unsupported bits.
absl::StatusOr<Architecture> ParseArchitecture(absl::string_view text);

// The same through files; errors name the path.
absl::Status WriteArchitecture(const std::string& path, const Architecture& architecture);
absl::StatusOr<Architecture> ReadArchitecture(const std::string& path);

}  // namespace nas

#endif  // NAS_DERIVED_ARCHITECTURE_H_
