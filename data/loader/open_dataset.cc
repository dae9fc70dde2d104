#include "data/loader/open_dataset.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "data/io/byte_source.h"
#include "data/io/printable_name.h"
#include "data/io/sample_field.h"
#include "data/shard/shard_dataset.h"
#include "data/shard/shard_manifest.h"
#include "data/sources/beton_dataset.h"
#include "data/sources/cifar_dataset.h"
#include "data/sources/folder_dataset.h"
#include "data/sources/idx_dataset.h"
#include "data/sources/image_files.h"
#include "data/sources/input_listing.h"
#include "data/sources/tar_dataset.h"

namespace data {
namespace {

namespace fs = std::filesystem;

// "" if nothing is recognized.
absl::string_view KindOfFile(absl::string_view path) {
  if (absl::EndsWithIgnoreCase(path, ".tar")) return "tar";
  if (absl::EndsWith(path, ".bin")) return "cifar";
  if (absl::EndsWith(path, ".beton")) return "beton";
  if (IsIdxImagesName(path)) return "idx";
  return "";
}

absl::StatusOr<std::string> RecognizeFolder(const std::string& path) {
  if (fs::exists(fs::path(path) / kShardManifestFile)) return "shards";
  std::map<std::string, std::string> found;  // of each kind, the name that comes first
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (IsHiddenName(name)) continue;
    std::string kind(KindOfFile(name));
    if (it->is_directory(error) || IsImageName(name)) kind = "folder";
    if (absl::EndsWith(name, ".shard")) kind = "shards";
    if (kind.empty()) continue;
    std::string& first = found.emplace(kind, name).first->second;
    first = std::min(first, name);
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", path));
  if (found.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no kind of dataset is recognized"));
  }
  const auto& [kind, name] = *found.begin();
  if (found.size() > 1) {
    const auto& [other, other_name] = *std::next(found.begin());
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": holds two kinds of data, ", kind, " (", PrintableName(name), ") and ",
                     other, " (", PrintableName(other_name), "); pack and inspect take --kind"));
  }
  if (kind == "shards") {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": holds shards but no ", kShardManifestFile, ": packing has not finished"));
  }
  if (kind == "beton") {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is a folder; name the .beton file in it, ", name));
  }
  return kind;
}

absl::StatusOr<std::string> Recognize(const std::string& path) {
  if (fs::is_directory(path)) return RecognizeFolder(path);
  const absl::string_view kind = KindOfFile(path);
  if (kind.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no kind of dataset is recognized"));
  }
  return std::string(kind);
}

absl::StatusOr<std::unique_ptr<Dataset>> OpenRemote(const std::string& location,
                                                    absl::string_view kind,
                                                    const OpenOptions& options) {
  if (options.store == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(location, ": this program reads files of this machine alone"));
  }
  if (kind != "auto" && kind != "shards") {
    return absl::InvalidArgumentError(
        absl::StrCat("only shards are read from a server; kind ", kind, " is not"));
  }
  return ShardDataset::Open(std::string(absl::StripSuffix(location, "/")), options.store,
                            options.share, options.fields);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path,
                                                     absl::string_view kind,
                                                     const OpenOptions& options) {
  if (IsRemote(path)) return OpenRemote(path, kind, options);
  std::error_code error;
  if (!fs::exists(path, error)) {
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot look at ", path));
    return absl::NotFoundError(absl::StrCat("no file or folder ", path));
  }
  std::string chosen(kind);
  if (kind == "auto") {
    ASSIGN_OR_RETURN(chosen, Recognize(path));
  }
  if (chosen == "shards") return ShardDataset::Open(path, nullptr, options.share, options.fields);
  if (chosen == "tar") return TarDataset::Open(path, options);
  if (chosen == "cifar" || chosen == "idx") {
    RETURN_IF_ERROR(ChooseFields(path, {}, options.fields).status());
    if (chosen == "cifar") return CifarDataset::Open(path);
    return IdxDataset::Open(path, options);
  }
  if (chosen == "folder") return FolderDataset::Open(path, options);
  if (chosen == "beton") return BetonDataset::Open(path, options);
  return absl::InvalidArgumentError(absl::StrCat("unknown kind of dataset: ", kind));
}

}  // namespace data
