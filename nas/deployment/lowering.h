// From a network with its weights, of a genotype or one whose structure is given, to a packed
// network: the graph of its operations, batch normalizations as scales and shifts, weights as the
// levels that their bits allow.
#ifndef NAS_DEPLOYMENT_LOWERING_H_
#define NAS_DEPLOYMENT_LOWERING_H_

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nas/derived/derived_network.h"
#include "quant/runtime/packed_network.h"

namespace nas {

// What a network does not know of its images.
struct DeploymentInput {
  std::vector<std::string> classes;
  std::array<float, 3> mean = {0, 0, 0}, std = {1, 1, 1};  // Normalization of pixels 0 … 1.
  float crop = 1;  // Of images that are cropped and resized, the share of the shorter side.
};

// InvalidArgument naming the convolution that cannot be, why, and what to do: 8 bits other than
// symmetric, whose sums are no integers; 8-bit activations whose range is not fixed
// (nas/derived/activation_ranges.h); weights that are not finite. Or that the classes are not as
// many as the network's.
absl::StatusOr<quant::runtime::PackedNetwork> LowerNetwork(const DerivedNetwork& network,
                                                           const DeploymentInput& input);

}  // namespace nas

#endif  // NAS_DEPLOYMENT_LOWERING_H_
