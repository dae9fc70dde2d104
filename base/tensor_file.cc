#include "base/tensor_file.h"

#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "ATen/core/Dict.h"
#include "ATen/core/ivalue.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "caffe2/serialize/inline_container.h"
#include "torch/csrc/jit/serialization/pickle.h"
#include "torch/csrc/jit/serialization/pickler.h"

namespace base {

absl::StatusOr<TensorMap> ReadTensorFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  c10::IValue value;
  try {
    value = torch::jit::pickle_load(std::vector<char>(bytes.begin(), bytes.end()));
  } catch (const std::exception& error) {
    return absl::DataLossError(absl::StrCat(path, ": not a tensor file, or a damaged one"));
  }
  if (!value.isGenericDict()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": holds no dict of named tensors"));
  }
  TensorMap tensors;
  for (const auto& entry : value.toGenericDict()) {
    if (!entry.key().isString() || !entry.value().isTensor()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": holds more than named tensors"));
    }
    tensors.emplace(entry.key().toStringRef(), entry.value().toTensor());
  }
  return tensors;
}

absl::Status WriteTensorFile(const std::string& path, const TensorMap& tensors) {
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
  writer.writeEndOfFile();
  return WriteFileAtomically(path, bytes);
}

}  // namespace base
