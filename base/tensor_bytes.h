// The content of a tensor file, for who wants its hash as well as the file.
#ifndef BASE_TENSOR_BYTES_H_
#define BASE_TENSOR_BYTES_H_

#include <string>

#include "base/tensor_file.h"

namespace base {

// What WriteTensorFile writes for these tensors.
std::string TensorFileBytes(const TensorMap& tensors);

}  // namespace base

#endif  // BASE_TENSOR_BYTES_H_
