// Files of named tensors, exchanged with Python.
//
//   ASSIGN_OR_RETURN(TensorMap weights, ReadTensorFile("weights.pt"));
//   RETURN_IF_ERROR(WriteTensorFile("copy.pt", weights));   // torch.load("copy.pt") reads it
#ifndef BASE_TENSOR_FILE_H_
#define BASE_TENSOR_FILE_H_

#include <map>
#include <string>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

using TensorMap = std::map<std::string, at::Tensor>;

// Reads a dict {str: tensor} saved by Python's torch.save. DataLoss or InvalidArgument, naming the
// path, if the file is damaged or holds something else.
absl::StatusOr<TensorMap> ReadTensorFile(const std::string& path);

// Writes, atomically, a file that Python's torch.load(path, weights_only=True) returns as a dict.
// Tensors of any device are stored as contiguous CPU tensors of their dtype.
absl::Status WriteTensorFile(const std::string& path, const TensorMap& tensors);

}  // namespace base

#endif  // BASE_TENSOR_FILE_H_
