#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/pickle.h"
#include "base/status_macros.h"
#include "base/tensor_bytes.h"
#include "base/tensor_file.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "caffe2/serialize/inline_container.h"
#include "caffe2/serialize/read_adapter_interface.h"

namespace base {
namespace {

using Kind = PickleNode::Kind;

// Far beyond any checkpoint; a damaged pickle may refer to itself.
constexpr int kMaxDepth = 32;
// An object may be met in several places, but what is met takes no more than so many bytes of paths
// for each byte of the file.
constexpr int64_t kPathsPerByte = 64;
constexpr int64_t kMaxElements = int64_t{1} << 48;

constexpr absl::string_view kZipMagic = "PK";
// The pickled magic number that torch.save began its files with before it wrote zip archives.
constexpr absl::string_view kLegacyMagic(
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);

// How a pickle refers to a storage: ('storage', class, key, location, numel[, view]).
struct StorageId {
  at::ScalarType dtype;
  int64_t numel;

  int64_t nbytes() const { return numel * static_cast<int64_t>(c10::elementSize(dtype)); }
};

// By the key that names the storage in its file.
using StorageIds = std::map<std::string, StorageId>;
// The same, read: one-dimensional tensors.
using Storages = std::map<std::string, at::Tensor>;

absl::StatusOr<at::ScalarType> StorageDtype(absl::string_view class_name) {
  static constexpr std::pair<const char*, at::ScalarType> kDtypes[] = {
      {".FloatStorage", at::kFloat}, {".DoubleStorage", at::kDouble},
      {".HalfStorage", at::kHalf},   {".BFloat16Storage", at::kBFloat16},
      {".LongStorage", at::kLong},   {".IntStorage", at::kInt},
      {".ShortStorage", at::kShort}, {".CharStorage", at::kChar},
      {".ByteStorage", at::kByte},   {".BoolStorage", at::kBool},
  };
  for (const auto& [suffix, dtype] : kDtypes) {
    if (absl::EndsWith(class_name, suffix)) return dtype;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("storages of type ", class_name, " are not supported"));
}

absl::StatusOr<StorageIds> FindStorageIds(const Pickle& pickle) {
  StorageIds ids;
  for (const PickleNode& node : pickle.nodes()) {
    if (node.kind != Kind::kPersistentId) continue;
    const std::vector<const PickleNode*>& parts = node.items[0]->items;
    if (parts.size() < 5 || parts[0]->text != "storage" || parts[2]->kind != Kind::kString ||
        parts[4]->kind != Kind::kInt || parts[4]->integer < 0 || parts[4]->integer > kMaxElements) {
      return absl::DataLossError("a reference to a storage is malformed");
    }
    if (parts.size() > 5 && parts[5]->kind != Kind::kNone) {
      return absl::InvalidArgumentError("storages that view other storages are not supported");
    }
    ASSIGN_OR_RETURN(const at::ScalarType dtype, StorageDtype(parts[1]->text));
    const StorageId id = {dtype, parts[4]->integer};
    const StorageId& known = ids.emplace(parts[2]->text, id).first->second;
    if (known.dtype != id.dtype || known.numel != id.numel) {
      return absl::DataLossError(
          absl::StrCat("storage '", parts[2]->text, "' is referred to in two ways"));
    }
  }
  return ids;
}

absl::Status WrongSize(const std::string& key, int64_t expected, int64_t actual) {
  return absl::DataLossError(
      absl::StrCat("storage '", key, "' has ", actual, " bytes; expected ", expected));
}

// The file's bytes, never read beyond their end whatever the archive says.
class BytesAdapter : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit BytesAdapter(absl::string_view bytes) : bytes_(bytes) {}

  size_t size() const override { return bytes_.size(); }

  size_t read(uint64_t position, void* buffer, size_t n, const char* what) const override {
    if (position > bytes_.size() || n > bytes_.size() - position) {
      throw std::out_of_range("the archive refers to bytes beyond its end");
    }
    std::memcpy(buffer, bytes_.data() + position, n);
    return n;
  }

 private:
  absl::string_view bytes_;
};

struct Contents {
  Pickle pickle;
  Storages storages;
  TensorFileNotes notes;
};

absl::StatusOr<Contents> ReadZip(absl::string_view bytes) {
  caffe2::serialize::PyTorchStreamReader reader(std::make_shared<BytesAdapter>(bytes));
  // Records are stored as they are: all together are no larger than their archive.
  int64_t left = bytes.size();
  const auto fits = [&left](int64_t size) { return size <= left ? left -= size, true : false; };
  const auto read = [&](const std::string& record) -> absl::StatusOr<std::string> {
    if (!fits(reader.getRecordSize(record))) {
      return absl::DataLossError(absl::StrCat("record '", record, "' is larger than its archive"));
    }
    const auto [data, size] = reader.getRecord(record);
    return std::string(static_cast<const char*>(data.get()), size);
  };
  if (reader.hasRecord("byteorder")) {
    ASSIGN_OR_RETURN(const std::string order, read("byteorder"));
    if (order != "little") return absl::InvalidArgumentError("is not little-endian");
  }
  ASSIGN_OR_RETURN(const std::string data, read("data.pkl"));
  ASSIGN_OR_RETURN(Pickle pickle, Pickle::Parse(data));
  ASSIGN_OR_RETURN(const StorageIds ids, FindStorageIds(pickle));
  Storages storages;
  for (const auto& [key, id] : ids) {
    const std::string record = absl::StrCat("data/", key);
    const int64_t size = reader.getRecordSize(record);
    if (size != id.nbytes() || !fits(size)) {
      return WrongSize(key, id.nbytes(), size);
    }
    at::Tensor storage = at::empty({id.numel}, id.dtype);
    reader.getRecord(record, storage.data_ptr(), size);
    storages.emplace(key, std::move(storage));
  }
  TensorFileNotes notes;
  for (const std::string& record : reader.getAllRecords()) {
    absl::string_view name = record;
    if (!absl::ConsumePrefix(&name, kNotesFolder)) continue;
    ASSIGN_OR_RETURN(std::string text, read(record));
    notes.emplace(name, std::move(text));
  }
  return Contents{std::move(pickle), std::move(storages), std::move(notes)};
}

// Five pickles (magic number, protocol version, the writing machine's sizes, the object, the keys
// of its storages), then the storages in the order of the keys, each after its int64 number of
// elements.
absl::StatusOr<Contents> ReadLegacy(absl::string_view bytes) {
  bytes.remove_prefix(kLegacyMagic.size());
  const auto parse = [&bytes]() -> absl::StatusOr<Pickle> {
    ASSIGN_OR_RETURN(Pickle pickle, Pickle::Parse(bytes));
    bytes.remove_prefix(pickle.size());
    return pickle;
  };
  ASSIGN_OR_RETURN(const Pickle version, parse());
  ASSIGN_OR_RETURN(const Pickle machine, parse());
  ASSIGN_OR_RETURN(Pickle pickle, parse());
  ASSIGN_OR_RETURN(const Pickle keys, parse());
  const std::vector<const PickleNode*>& facts = machine.root().items;
  for (size_t i = 0; i + 1 < facts.size(); i += 2) {
    if (facts[i]->text == "little_endian" && facts[i + 1]->integer == 0) {
      return absl::InvalidArgumentError("is not little-endian");
    }
  }
  ASSIGN_OR_RETURN(const StorageIds ids, FindStorageIds(pickle));
  Storages storages;
  for (const PickleNode* key : keys.root().items) {
    const auto id = ids.find(key->text);
    if (id == ids.end()) {
      return absl::DataLossError(absl::StrCat("storage '", key->text, "' belongs to no tensor"));
    }
    int64_t numel = -1;
    if (bytes.size() >= sizeof(numel)) {
      std::memcpy(&numel, bytes.data(), sizeof(numel));
      bytes.remove_prefix(sizeof(numel));
    }
    const int64_t size = id->second.nbytes();
    if (numel != id->second.numel || size > static_cast<int64_t>(bytes.size())) {
      return WrongSize(key->text, size, bytes.size());
    }
    at::Tensor storage = at::empty({numel}, id->second.dtype);
    std::memcpy(storage.data_ptr(), bytes.data(), size);
    bytes.remove_prefix(size);
    storages.emplace(key->text, std::move(storage));
  }
  if (!bytes.empty()) {
    return absl::DataLossError(absl::StrCat(bytes.size(), " bytes follow the last storage"));
  }
  return Contents{std::move(pickle), std::move(storages), {}};
}

absl::StatusOr<std::vector<int64_t>> Integers(const PickleNode& sequence) {
  std::vector<int64_t> integers;
  for (const PickleNode* item : sequence.items) {
    if (item->kind != Kind::kInt || item->integer < 0) {
      return absl::DataLossError("a size or stride is malformed");
    }
    integers.push_back(item->integer);
  }
  return integers;
}

// Whether a view of `numel` elements stays inside them.
bool IsInside(int64_t numel, int64_t offset, const std::vector<int64_t>& sizes,
              const std::vector<int64_t>& strides) {
  if (offset < 0 || sizes.size() != strides.size()) return false;
  int64_t elements = 1, last = offset;
  for (size_t i = 0; i < sizes.size(); ++i) {
    int64_t reach;
    if (__builtin_mul_overflow(elements, sizes[i], &elements) ||
        __builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return false;
    }
  }
  return elements == 0 || last < numel;
}

// Walks the unpickled object and names its tensors by their paths.
class TensorCollector {
 public:
  TensorCollector(const Storages& storages, size_t file_size)
      : storages_(storages), paths_left_(kPathsPerByte * static_cast<int64_t>(file_size)) {}

  // `object` is at `path` of the root.
  absl::Status Collect(const PickleNode& object, const std::string& path, int depth) {
    constexpr int64_t kObject = 64;
    paths_left_ -= kObject + static_cast<int64_t>(path.size());
    if (depth > kMaxDepth || paths_left_ < 0) return absl::DataLossError("nests without an end");
    const std::string prefix = path.empty() ? "" : absl::StrCat(path, "/");
    if (object.kind == Kind::kCall) return CollectCall(object, path, depth);
    if (object.kind == Kind::kSequence) {
      for (size_t i = 0; i < object.items.size(); ++i) {
        RETURN_IF_ERROR(Collect(*object.items[i], absl::StrCat(prefix, i), depth + 1));
      }
    } else if (object.kind == Kind::kDict) {
      for (size_t i = 0; i < object.items.size(); i += 2) {
        const PickleNode& key = *object.items[i];
        const std::string name = key.kind == Kind::kInt ? absl::StrCat(key.integer) : key.text;
        RETURN_IF_ERROR(Collect(*object.items[i + 1], absl::StrCat(prefix, name), depth + 1));
      }
    }
    return absl::OkStatus();
  }

  TensorMap Take() { return std::move(tensors_); }

 private:
  absl::Status CollectCall(const PickleNode& call, const std::string& path, int depth) {
    const std::string& function = call.items[0]->text;
    const std::vector<const PickleNode*>& arguments = call.items[1]->items;
    if (function == "torch._utils._rebuild_parameter" && !arguments.empty()) {
      return Collect(*arguments[0], path, depth + 1);
    }
    if (function != "torch._utils._rebuild_tensor_v2") {
      if (absl::StartsWith(function, "torch._utils._rebuild_")) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", path, "' is a tensor of a kind not supported (", function, ")"));
      }
      return absl::OkStatus();  // Some object of a class.
    }
    absl::StatusOr<at::Tensor> tensor = Rebuild(arguments);
    if (!tensor.ok()) {
      return absl::Status(tensor.status().code(),
                          absl::StrCat("'", path, "': ", tensor.status().message()));
    }
    if (!tensors_.emplace(path, *std::move(tensor)).second) {
      return absl::InvalidArgumentError(absl::StrCat("'", path, "' names two tensors"));
    }
    return absl::OkStatus();
  }

  // Arguments of _rebuild_tensor_v2: storage, offset, sizes, strides, and what concerns gradients.
  absl::StatusOr<at::Tensor> Rebuild(const std::vector<const PickleNode*>& arguments) const {
    if (arguments.size() < 4 || arguments[0]->kind != Kind::kPersistentId) {
      return absl::DataLossError("is a malformed tensor");
    }
    const std::string& key = arguments[0]->items[0]->items[2]->text;
    const auto storage = storages_.find(key);
    if (storage == storages_.end()) {
      return absl::DataLossError(absl::StrCat("storage '", key, "' is missing"));
    }
    ASSIGN_OR_RETURN(const auto sizes, Integers(*arguments[2]));
    ASSIGN_OR_RETURN(const auto strides, Integers(*arguments[3]));
    if (!IsInside(storage->second.numel(), arguments[1]->integer, sizes, strides)) {
      return absl::DataLossError(absl::StrCat("reaches outside its storage '", key, "'"));
    }
    return storage->second.as_strided(sizes, strides, arguments[1]->integer);
  }

  const Storages& storages_;
  TensorMap tensors_;
  int64_t paths_left_;
};

absl::StatusOr<Contents> ReadContents(absl::string_view bytes) {
  // libtorch reports through exceptions, also what only a damaged file can cause.
  try {
    if (absl::StartsWith(bytes, kLegacyMagic)) return ReadLegacy(bytes);
    if (absl::StartsWith(bytes, kZipMagic)) return ReadZip(bytes);
  } catch (const c10::Error& error) {
    return absl::DataLossError(absl::StrCat("damaged: ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return absl::DataLossError(absl::StrCat("damaged: ", error.what()));
  }
  return absl::InvalidArgumentError("is no file of torch.save, or a damaged one");
}

absl::StatusOr<TensorMap> ParseTensorFile(absl::string_view bytes, TensorFileNotes* notes) {
  ASSIGN_OR_RETURN(Contents contents, ReadContents(bytes));
  const PickleNode& root = contents.pickle.root();
  if (root.kind != Kind::kDict) return absl::InvalidArgumentError("holds no dict of named tensors");
  TensorCollector collector(contents.storages, bytes.size());
  RETURN_IF_ERROR(collector.Collect(root, "", 0));
  TensorMap tensors = collector.Take();
  if (tensors.empty() && !root.items.empty()) {
    return absl::InvalidArgumentError("holds a dict without tensors");
  }
  if (notes != nullptr) *notes = std::move(contents.notes);
  return tensors;
}

}  // namespace

absl::StatusOr<TensorMap> ReadTensorFile(const std::string& path, TensorFileNotes* notes) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  absl::StatusOr<TensorMap> tensors = ParseTensorFile(bytes, notes);
  if (!tensors.ok()) {
    return absl::Status(tensors.status().code(),
                        absl::StrCat(path, ": ", tensors.status().message()));
  }
  return tensors;
}

}  // namespace base
