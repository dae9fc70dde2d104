// Stochastic gradient descent for many small parameters.
#ifndef NAS_LEARNING_SGD_H_
#define NAS_LEARNING_SGD_H_

#include <vector>

#include "ATen/core/Tensor.h"

namespace nas {

struct SgdOptions {
  double momentum = 0;
  double weight_decay = 0;
};

// Moves each of `parameters` (of one device), p, whose gradient is g, as torch::optim::SGD does,
// with the same bits:
//
//   m = momentum m + g + weight_decay p;  p = p - learning_rate m
//
// One without a gradient stays as it is. `buffers`, one for each, are the m of the last step,
// undefined before the first one and where momentum is 0.
void SgdStep(const std::vector<at::Tensor>& parameters, const SgdOptions& options,
             double learning_rate, std::vector<at::Tensor>& buffers);

}  // namespace nas

#endif  // NAS_LEARNING_SGD_H_
