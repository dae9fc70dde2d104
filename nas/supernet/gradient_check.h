// Compares autograd with central differences, for tests.
#ifndef NAS_SUPERNET_GRADIENT_CHECK_H_
#define NAS_SUPERNET_GRADIENT_CHECK_H_

#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"

namespace nas {

// The largest absolute difference between autograd's gradient and (f(x + h) - f(x - h)) / (2 h), of
// sum(f() * r) with a fixed random r, over all elements of all inputs. The inputs are float64
// tensors that f reads; they require gradients afterwards. Smooth functions come out near 1e-9.
double GradientError(const std::vector<at::Tensor>& inputs,
                     const std::function<at::Tensor()>& function);

}  // namespace nas

#endif  // NAS_SUPERNET_GRADIENT_CHECK_H_
