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

// Text kept beside the tensors, by name: records of the archive that torch.load passes over, so
// that a state_dict stays one.
using TensorFileNotes = std::map<std::string, std::string>;

// Reads what Python's torch.save has written, in today's zip format or the one before (2020),
// without running any of the code a pickle can name: a dict {str: tensor}, a state_dict, or a
// checkpoint of nested dicts and lists, whose tensors are named by their path
// ("state_dict/conv.weight"); what is no tensor is passed over. Tensors saved as views of one
// storage share it, as in Python. DataLoss if the file is damaged, InvalidArgument if it holds
// something else, naming the path and the tensor or storage. What WriteTensorFile noted goes to
// `notes`, if that is not null; nothing of Python's files does.
absl::StatusOr<TensorMap> ReadTensorFile(const std::string& path,
                                         TensorFileNotes* notes = nullptr);

// Writes, atomically, a file that Python's torch.load(path, weights_only=True) returns as a dict.
// Tensors of any device are stored as contiguous CPU tensors of their dtype.
absl::Status WriteTensorFile(const std::string& path, const TensorMap& tensors,
                             const TensorFileNotes& notes = {});

}  // namespace base

#endif  // BASE_TENSOR_FILE_H_
