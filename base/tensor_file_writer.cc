#include <cstddef>
#include <string>

#include "ATen/core/Dict.h"
#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/tensor_bytes.h"
#include "base/tensor_file.h"
#include "caffe2/serialize/inline_container.h"
#include "torch/csrc/jit/serialization/pickler.h"

namespace base {

std::string TensorFileBytes(const TensorMap& tensors, const TensorFileNotes& notes) {
  c10::Dict<std::string, at::Tensor> dict;
  for (const auto& [name, tensor] : tensors) dict.insert(name, tensor.detach().cpu().contiguous());

  // torch::pickle_save's output is refused by weights_only=True: it tags the dict's type.
  std::string pickle;
  torch::jit::Pickler pickler(
      [&pickle](const char* data, size_t size) { pickle.append(data, size); }, nullptr, nullptr,
      nullptr, nullptr, /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(dict);
  pickler.stop();

  std::string bytes;
  caffe2::serialize::PyTorchStreamWriter writer([&bytes](const void* data, size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  writer.writeRecord("data.pkl", pickle.data(), pickle.size());
  size_t index = 0;
  for (const at::Tensor& tensor : pickler.tensorData()) {
    const c10::Storage& storage = tensor.storage();
    writer.writeRecord(absl::StrCat("data/", index++), storage.data(), storage.nbytes());
  }
  for (const auto& [name, text] : notes) {
    writer.writeRecord(absl::StrCat(kNotesFolder, name), text.data(), text.size());
  }
  writer.writeEndOfFile();
  return bytes;
}

absl::Status WriteTensorFile(const std::string& path, const TensorMap& tensors,
                             const TensorFileNotes& notes) {
  return WriteFileAtomically(path, TensorFileBytes(tensors, notes));
}

}  // namespace base
