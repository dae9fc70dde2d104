// Parameter and buffer names of the published networks, and ours.
//
// Ours are those of the published derived QDARTS network, for every network. The others differ
// inside of operations (`op` stands for `cells.0._ops.3`, `cells.0.preprocess1` or, in a supernet,
// `cells.0._ops.3._ops.4`):
//   ours                        QDARTS supernet                   PC-DARTS
//   op.conv1.conv.weight        op.conv1.mix_weight.conv.weight   op.op.1.weight
//   op.bn.running_mean          op.bn.running_mean                op.op.3.running_mean
//   preprocess0.conv_1.conv.weight
//                               ….conv_1.mix_weight.conv.weight   ….conv_1.weight
// FBQAT and QSubNet count as PC-DARTS does, but say `op.op.1.conv.weight` and
// `op.op.1.mix_weight.conv.weight`. Outside of the cells (`stem.0`, `auxiliary_head.features.2`) we
// say `.conv.weight`; QDARTS and PC-DARTS say `.weight`, except for QDARTS's auxiliary head for
// ImageNet. Fixed networks (nas/networks) have `.conv.weight` for every convolution of ours.
#ifndef NAS_WEIGHTS_PUBLISHED_NAMES_H_
#define NAS_WEIGHTS_PUBLISHED_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/tensor_file.h"

namespace nas {

enum class PublishedStyle {
  kQdartsDerived,   // QDARTS/model.py: our own names, but for the outside of the cells.
  kQdartsSupernet,  // QDARTS/model_search.py and model_search_imagenet.py
  kPcDarts,         // PC-DARTS's float supernets and derived networks.
  kFbqat,           // FBQAT/models/quant_darts.py, and QSubNet's derived networks.
  kQSubNet,         // QSubNet/models/quant_darts.py, while it searches.
  kEdmips,          // EdMIPS's fixed networks, derived: only their first convolution has no child.
  kEdmipsSearch,    // The same while they search.
  kTorchvision,     // torchvision's: no convolution has one.
};

// The published name of every name in `state`, which is all of a network's, since an operation
// shows by its tensors. No two names have the same image.
std::map<std::string, std::string> PublishedNames(const base::TensorMap& state,
                                                  PublishedStyle style);

// The buffers that published networks have beyond ours: two float32 scalars for each quantized
// convolution, `….size_product` and `….memory_size`, which each of their forwards sets anew.
std::vector<std::string> PublishedExtraBuffers(const base::TensorMap& state, PublishedStyle style);
bool IsPublishedExtraBuffer(absl::string_view name);

// Whether it is one of the logits over bits that a QSubNet network has beside its weights.
bool IsQSubNetAlpha(absl::string_view name);

}  // namespace nas

#endif  // NAS_WEIGHTS_PUBLISHED_NAMES_H_
