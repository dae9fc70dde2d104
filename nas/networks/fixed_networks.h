// The networks whose structure is given: EdMIPS's (arXiv:2004.05795, whose authors' models
// mixresnet, mixgoogle and mixinception these are, in the form that searches bits and in the one of
// fixed bits) and torchvision's, each as a graph.
//
// EdMIPS normalizes in front of a convolution, and has no ReLU there: the quantizer of the
// convolution's activations is the activation function. Every convolution but the first is
// quantized, and the classifier is not; so it is here for torchvision's, whose quantizers stand
// behind the ReLU, in front of the next convolution. No network has dropout.
#ifndef NAS_NETWORKS_FIXED_NETWORKS_H_
#define NAS_NETWORKS_FIXED_NETWORKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nas/networks/network_graph.h"
#include "nas/networks/network_layout.h"

namespace nas {

// edmips_resnet18, edmips_resnet50, edmips_googlenet, edmips_inception_v3, and torchvision's, which
// are called the same without the prefix.
const std::vector<std::string>& FixedNetworkNames();

// Whether its weights are named as torchvision names them.
bool IsTorchvisionNetwork(absl::string_view name);

// The side of the images that it is meant for: 299 for Inception-V3, else 224.
int64_t PublishedImageSide(absl::string_view name);

// The path of the classifier in all of them.
inline constexpr char kFixedClassifier[] = "fc";

// The bits that EdMIPS published for its networks, convolution by convolution: about the BitOps of
// 2 bits throughout. Empty for other names.
std::vector<ConvBits> PublishedBits(absl::string_view name);

// With the auxiliary heads of torchvision's GoogLeNet (aux2, aux1) and Inception-V3 (AuxLogits),
// outputs in that order, if `auxiliary`; the others have none. InvalidArgument if there is no such
// network.
absl::StatusOr<NetworkGraph> FixedNetworkGraph(absl::string_view name, int64_t classes,
                                               bool auxiliary = false);

}  // namespace nas

#endif  // NAS_NETWORKS_FIXED_NETWORKS_H_
