// Files of a network's weights, exchanged with the published Python code under its names.
//
//   const base::TensorMap state = base::ModuleState(*network);
//   RETURN_IF_ERROR(ReadWeights("PC_DARTS_cifar.pt", state));
//   RETURN_IF_ERROR(WriteWeights("weights.pt", state, PublishedStyle::kQdartsDerived));
#ifndef NAS_WEIGHTS_WEIGHT_FILE_H_
#define NAS_WEIGHTS_WEIGHT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "nas/weights/published_names.h"

namespace nas {

// Copies a file's tensors into `state`, whose tensors alias a network's. Names of any published
// style are recognized, in a state_dict or in a checkpoint that has one under "state_dict", also
// with DataParallel's "module." before them. The file may have an auxiliary head that the network
// lacks, and lack batch counters, which old ones do. What it has of fixed ranges of activations
// (nas/derived/activation_ranges.h) goes to `ranges`, if that is not null. Errors name the path;
// InvalidArgument lists the names that are missing, unexpected or of another shape, and then
// nothing has been copied.
absl::Status ReadWeights(const std::string& path, const base::TensorMap& state,
                         base::TensorMap* ranges = nullptr);

// Writes `state`, all of a network's, so that torch.load(path, weights_only=True) returns a dict
// that the published network's load_state_dict accepts; beside it `ranges`, which that has no place
// for and ignores with strict=False.
absl::Status WriteWeights(const std::string& path, const base::TensorMap& state,
                          PublishedStyle style, const base::TensorMap& ranges = {});

}  // namespace nas

#endif  // NAS_WEIGHTS_WEIGHT_FILE_H_
