// Loops over lists of many small tensors, whose operators cost more than their arithmetic.
#ifndef NAS_LEARNING_TENSOR_SLICES_H_
#define NAS_LEARNING_TENSOR_SLICES_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"

namespace nas {

// Calls body(first, last) for ranges that together are all of `tensors`, which are on one device:
// on the CPU in parallel, elsewhere once, for operators (`at::_foreach_...`) that take the list as
// a whole. Autograd sees nothing of what the body computes. The body's operators run on one thread,
// so that results are the same for any number of them.
void ForSlices(const std::vector<at::Tensor>& tensors,
               const std::function<void(int64_t first, int64_t last)>& body);

}  // namespace nas

#endif  // NAS_LEARNING_TENSOR_SLICES_H_
