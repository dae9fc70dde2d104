// The norm of many gradients, and its bound.
#ifndef NAS_LEARNING_CLIP_GRADIENTS_H_
#define NAS_LEARNING_CLIP_GRADIENTS_H_

#include <vector>

#include "ATen/core/Tensor.h"

namespace nas {

// Scales the gradients of `parameters` (of one device) so that their norm as one vector is at most
// `max_norm`, as torch::nn::utils::clip_grad_norm_ does, with the same bits. Returns the norm they
// had: 0-dimensional, float64, on their device, which the caller need not wait for. 0 without any.
at::Tensor ClipGradients(const std::vector<at::Tensor>& parameters, double max_norm);

}  // namespace nas

#endif  // NAS_LEARNING_CLIP_GRADIENTS_H_
