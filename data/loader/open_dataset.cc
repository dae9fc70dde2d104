#include "data/loader/open_dataset.h"

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/shard/shard_dataset.h"
#include "data/shard/shard_manifest.h"
#include "data/sources/beton_dataset.h"
#include "data/sources/cifar_dataset.h"
#include "data/sources/folder_dataset.h"
#include "data/sources/tar_dataset.h"

namespace data {
namespace {

namespace fs = std::filesystem;

absl::string_view KindOfFile(absl::string_view path) {
  if (absl::EndsWith(path, ".tar")) return "tar";
  if (absl::EndsWith(path, ".bin")) return "cifar";
  if (absl::EndsWith(path, ".beton")) return "beton";
  return "";
}

// "" if nothing is recognized.
std::string Recognize(const std::string& path) {
  if (!fs::is_directory(path)) return std::string(KindOfFile(path));
  if (fs::exists(fs::path(path) / kShardManifestFile)) return "shards";
  std::error_code error;
  bool folders = false;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const absl::string_view kind = KindOfFile(it->path().native());
    if (kind == "tar" || kind == "cifar") return std::string(kind);
    folders |= it->is_directory();
  }
  return folders ? "folder" : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path,
                                                     absl::string_view kind) {
  if (!fs::exists(path)) return absl::NotFoundError(absl::StrCat("no file or folder ", path));
  const std::string chosen = kind == "auto" ? Recognize(path) : std::string(kind);
  if (chosen == "shards") return ShardDataset::Open(path);
  if (chosen == "tar") return TarDataset::Open(path);
  if (chosen == "cifar") return CifarDataset::Open(path);
  if (chosen == "folder") return FolderDataset::Open(path);
  if (chosen == "beton") return BetonDataset::Open(path);
  if (kind == "auto") {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no kind of dataset is recognized"));
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown kind of dataset: ", kind));
}

}  // namespace data
