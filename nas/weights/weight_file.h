// Files of a network's weights, exchanged with the published Python code under its names.
//
//   const base::TensorMap state = base::ModuleState(*network);
//   RETURN_IF_ERROR(ReadWeights("PC_DARTS_cifar.pt", state));
//   RETURN_IF_ERROR(WriteWeights("weights.pt", state, PublishedStyle::kQdartsDerived));
#ifndef NAS_WEIGHTS_WEIGHT_FILE_H_
#define NAS_WEIGHTS_WEIGHT_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "nas/derived/architecture.h"
#include "nas/weights/published_names.h"

namespace nas {

// That of our own files of this network's weights.
PublishedStyle StyleOf(const Architecture& architecture);

// What a file keeps beside the weights.
struct WeightCompanions {
  // The fixed ranges of 8-bit activations (nas/derived/activation_ranges.h).
  base::TensorMap ranges = {};
  // The classes that the network tells apart, in the order of their labels, as UTF-8; empty if
  // nobody knows.
  std::vector<std::string> classes = {};
};

// Copies a file's tensors into `state`, whose tensors alias a network's. Names of any published
// style are recognized, in a state_dict or in a checkpoint that has one under "state_dict", also
// with DataParallel's "module." before them. The file may have auxiliary heads that the network
// lacks, and lack batch counters, which old ones do. What it keeps beside the weights goes to
// `companions`, if that is not null. Errors name the path; InvalidArgument lists the names that are
// missing, unexpected or of another shape, and then nothing has been copied.
// Of tensors named `kept_prefix`…, if that is not empty, those whose shape the file has otherwise
// stay as they are.
absl::Status ReadWeights(const std::string& path, const base::TensorMap& state,
                         WeightCompanions* companions = nullptr,
                         const std::string& kept_prefix = "");

// The tensors of `state`, all of a network's, under their published names, with the buffers that
// the published network has beyond ours.
base::TensorMap PublishedState(const base::TensorMap& state, PublishedStyle style);

// Writes PublishedState, so that torch.load(path, weights_only=True) returns a dict
// that the published network's load_state_dict accepts. Of `companions`, it has no place for ranges
// and ignores them with strict=False; the classes are no part of the dict.
absl::Status WriteWeights(const std::string& path, const base::TensorMap& state,
                          PublishedStyle style, const WeightCompanions& companions = {});

}  // namespace nas

#endif  // NAS_WEIGHTS_WEIGHT_FILE_H_
