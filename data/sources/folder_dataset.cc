#include "data/sources/folder_dataset.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "data/io/random_access_file.h"
#include "data/sources/image_files.h"
#include "data/sources/input_listing.h"

namespace data {
namespace {

namespace fs = std::filesystem;

absl::Status ListError(const std::error_code& error, const fs::path& folder) {
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder.native()));
}

// Finds what is in a folder, by path; does not look into hidden folders.
class FolderWalk {
 public:
  explicit FolderWalk(const std::string& root) : root_(root) {}

  absl::StatusOr<std::vector<InputFile>> Run() {
    RETURN_IF_ERROR(Walk(""));
    // A folder's files stand together, before those of a folder with a longer name.
    const auto less = [](char a, char b) { return b != '/' && (a == '/' || a < b); };
    std::sort(files_.begin(), files_.end(), [less](const InputFile& a, const InputFile& b) {
      return std::lexicographical_compare(a.path.begin(), a.path.end(), b.path.begin(),
                                          b.path.end(), less);
    });
    return std::move(files_);
  }

 private:
  absl::Status Walk(const std::string& folder) {
    const fs::path path = fs::path(root_) / folder;
    around_.push_back(path);
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename();
      RETURN_IF_ERROR(Add(*it, folder.empty() ? name : absl::StrCat(folder, "/", name)));
    }
    around_.pop_back();
    return error ? ListError(error, path) : absl::OkStatus();
  }

  absl::Status Add(const fs::directory_entry& entry, const std::string& path) {
    std::error_code error;
    const fs::file_type type = entry.status(error).type();
    InputFile file;
    file.path = path;
    if (type == fs::file_type::directory) {
      file.kind = InputFile::Kind::kFolder;
      if (!IsHiddenName(entry.path().filename().native())) {
        if (entry.is_symlink(error)) RETURN_IF_ERROR(CheckNoCircle(entry.path()));
        RETURN_IF_ERROR(Walk(path));
      }
    } else if (type == fs::file_type::not_found) {
      file.kind = InputFile::Kind::kDanglingLink;
    } else if (type == fs::file_type::none) {
      return absl::ErrnoToStatus(error.value(),
                                 absl::StrCat("cannot look at ", entry.path().native()));
    } else if (type != fs::file_type::regular) {
      file.kind = InputFile::Kind::kOther;
    }
    files_.push_back(std::move(file));
    return absl::OkStatus();
  }

  absl::Status CheckNoCircle(const fs::path& link) const {
    for (const fs::path& folder : around_) {
      std::error_code error;
      if (fs::equivalent(link, folder, error)) {
        return absl::InvalidArgumentError(absl::StrCat(
            link.native(), ": is a link to a folder that it is in, ", folder.native()));
      }
    }
    return absl::OkStatus();
  }

  const std::string& root_;
  std::vector<fs::path> around_;  // the folders being walked, from the root on
  std::vector<InputFile> files_;
};

absl::StatusOr<std::string> ReadLabelFile(const std::string& path) {
  constexpr uint64_t kMaxSize = 32;
  ASSIGN_OR_RETURN(const RandomAccessFile file, RandomAccessFile::Open(path));
  if (file.size() > kMaxSize) return absl::InvalidArgumentError(absl::StrCat(path, ": no label"));
  std::string text(file.size(), '\0');
  RETURN_IF_ERROR(file.Read(0, text.size(), text.data()));
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderDataset>> FolderDataset::Open(const std::string& root,
                                                                   const OpenOptions& options) {
  ASSIGN_OR_RETURN(std::vector<InputFile> files, FolderWalk(root).Run());
  const auto place = [](const InputFile& file) { return PrintableName(file.path); };
  const auto read_label = [&root](const InputFile& file) {
    return ReadLabelFile(absl::StrCat(root, "/", file.path));
  };
  ASSIGN_OR_RETURN(InputListing listing, ListInput(root, files, options, {place, read_label}));
  auto dataset = absl::WrapUnique(new FolderDataset(root));
  dataset->class_names_ = std::move(listing.class_names);
  dataset->left_alone_ = std::move(listing.left_alone);
  for (const ListedImage& image : listing.images) {
    dataset->images_.push_back({std::move(files[image.file].path), image.label});
  }
  dataset->fields_ = std::move(listing.fields);
  for (const int64_t file : listing.field_files) {
    dataset->field_paths_.push_back(file < 0 ? "" : std::move(files[file].path));
  }
  return dataset;
}

absl::StatusOr<EncodedSample> FolderDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const auto open = [this](const std::string& path) {
    return RandomAccessFile::Open(absl::StrCat(root_, "/", path));
  };
  ASSIGN_OR_RETURN(const RandomAccessFile image, open(images_[index].path));
  uint64_t size = image.size();
  std::vector<std::optional<RandomAccessFile>> fields(fields_.size());
  for (size_t f = 0; f < fields_.size(); ++f) {
    const std::string& path = field_paths_[index * fields_.size() + f];
    if (path.empty()) continue;
    ASSIGN_OR_RETURN(fields[f], open(path));
    size += fields[f]->size();
  }
  uint8_t* to = buffer.Reserve(size);
  const auto read =
      [&to](const RandomAccessFile& file) -> absl::StatusOr<absl::Span<const uint8_t>> {
    RETURN_IF_ERROR(file.Read(0, file.size(), to));
    return absl::MakeConstSpan(std::exchange(to, to + file.size()), file.size());
  };
  EncodedSample sample;
  ASSIGN_OR_RETURN(sample.bytes, read(image));
  sample.encoding = SniffEncoding(sample.bytes);
  for (const std::optional<RandomAccessFile>& field : fields) {
    sample.fields.emplace_back();
    if (!field.has_value()) continue;
    ASSIGN_OR_RETURN(sample.fields.back(), read(*field));
  }
  return sample;
}

}  // namespace data
