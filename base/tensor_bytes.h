// The content of a tensor file, for who wants its hash as well as the file.
#ifndef BASE_TENSOR_BYTES_H_
#define BASE_TENSOR_BYTES_H_

#include <string>

#include "base/tensor_file.h"

namespace base {

// The folder of the notes' records in the archive.
inline constexpr char kNotesFolder[] = "notes/";

// What WriteTensorFile writes for these tensors and notes.
std::string TensorFileBytes(const TensorMap& tensors, const TensorFileNotes& notes = {});

}  // namespace base

#endif  // BASE_TENSOR_BYTES_H_
