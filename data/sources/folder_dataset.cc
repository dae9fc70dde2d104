#include "data/sources/folder_dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/random_access_file.h"
#include "data/sources/image_files.h"

namespace data {
namespace {

namespace fs = std::filesystem;

absl::Status ListError(const std::error_code& error, const fs::path& folder) {
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder.native()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderDataset>> FolderDataset::Open(const std::string& root) {
  auto dataset = absl::WrapUnique(new FolderDataset(root));
  std::vector<std::string> classes;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory()) classes.push_back(it->path().filename());
  }
  if (error) return ListError(error, root);
  std::sort(classes.begin(), classes.end());
  for (const std::string& name : classes) RETURN_IF_ERROR(dataset->AddClass(name));
  if (dataset->images_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(root, ": no images in its folders"));
  }
  return dataset;
}

absl::Status FolderDataset::AddClass(const std::string& name) {
  const fs::path folder = fs::path(root_) / name;
  std::vector<std::string> paths;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::follow_directory_symlink,
                                      error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file() && IsImageName(it->path().native())) {
      paths.push_back(it->path().lexically_relative(root_));
    }
  }
  if (error) return ListError(error, folder);
  std::sort(paths.begin(), paths.end());
  const int64_t label = class_names_.size();
  for (std::string& path : paths) images_.push_back({std::move(path), label});
  class_names_.push_back(name);
  return absl::OkStatus();
}

absl::StatusOr<EncodedSample> FolderDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  ASSIGN_OR_RETURN(const RandomAccessFile file,
                   RandomAccessFile::Open(absl::StrCat(root_, "/", images_[index].path)));
  uint8_t* bytes = buffer.Reserve(file.size());
  RETURN_IF_ERROR(file.Read(0, file.size(), bytes));
  EncodedSample sample;
  sample.bytes = {bytes, file.size()};
  sample.encoding = SniffEncoding(sample.bytes);
  return sample;
}

}  // namespace data
