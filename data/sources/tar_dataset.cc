#include "data/sources/tar_dataset.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "absl/container/flat_hash_map.h"
#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "data/io/tar_archive.h"
#include "data/sources/image_files.h"

namespace data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxClasses = 1 << 20;
constexpr uint64_t kMaxLabelSize = 32;

absl::StatusOr<std::vector<std::string>> ArchivesOf(const std::string& path) {
  if (!fs::is_directory(path)) return std::vector<std::string>{path};
  std::vector<std::string> archives;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".tar") archives.push_back(it->path());
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", path));
  if (archives.empty()) return absl::NotFoundError(absl::StrCat(path, ": no *.tar"));
  std::sort(archives.begin(), archives.end());
  return archives;
}

// WebDataset's key: the name up to the first dot of its last component.
absl::string_view Key(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return name.substr(0, name.find('.', slash == absl::string_view::npos ? 0 : slash + 1));
}

absl::StatusOr<int64_t> ReadLabel(const RandomAccessFile& archive, const TarMember& member) {
  std::string text(std::min(member.size, kMaxLabelSize), '\0');
  RETURN_IF_ERROR(archive.Read(member.offset, text.size(), text.data()));
  int64_t label;
  if (!absl::SimpleAtoi(text, &label) || label < 0 || label >= kMaxClasses) {
    return absl::InvalidArgumentError(absl::StrCat(archive.path(), ": ", member.name,
                                                   " is not a label from 0 to ", kMaxClasses - 1));
  }
  return label;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TarDataset>> TarDataset::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> archives, ArchivesOf(path));
  auto dataset = absl::WrapUnique(new TarDataset());
  for (const std::string& archive : archives) RETURN_IF_ERROR(dataset->AddArchive(archive));
  RETURN_IF_ERROR(dataset->NumberClasses());
  return dataset;
}

absl::Status TarDataset::AddArchive(const std::string& path) {
  ASSIGN_OR_RETURN(RandomAccessFile archive, RandomAccessFile::Open(path));
  ASSIGN_OR_RETURN(const std::vector<TarMember> members, ListTar(archive));
  absl::flat_hash_map<std::string, int64_t> labels;
  for (const TarMember& member : members) {
    if (!absl::EndsWith(member.name, ".cls")) continue;
    ASSIGN_OR_RETURN(labels[Key(member.name)], ReadLabel(archive, member));
  }
  for (const TarMember& member : members) {
    if (!IsImageName(member.name)) continue;
    Image image;
    image.name = member.name;
    image.archive = archives_.size();
    image.offset = member.offset;
    image.size = member.size;
    if (const auto label = labels.find(Key(member.name)); label != labels.end()) {
      image.label = label->second;
    } else {
      image.folder = fs::path(member.name).parent_path().filename();
    }
    images_.push_back(std::move(image));
  }
  archives_.push_back(std::move(archive));
  return absl::OkStatus();
}

// Folders become numbers in the order of their names; numbers stay what they are.
absl::Status TarDataset::NumberClasses() {
  std::map<std::string, int64_t> folders;
  int64_t classes = 0;
  for (const Image& image : images_) {
    if (image.label >= 0) classes = std::max(classes, image.label + 1);
    if (image.label < 0) {
      if (image.folder.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(
            archives_[image.archive].path(), ": ", image.name, " has no .cls and is in no folder"));
      }
      folders.emplace(image.folder, 0);
    }
  }
  if (classes > 0 && !folders.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(archives_[0].path(), ": some images have a .cls, and some only a folder, ",
                     folders.begin()->first));
  }
  for (auto& [name, number] : folders) {
    number = class_names_.size();
    class_names_.push_back(name);
  }
  for (int64_t i = 0; i < classes; ++i) class_names_.push_back(absl::StrCat(i));
  for (Image& image : images_) {
    if (image.label < 0) image.label = folders[image.folder];
    image.folder.clear();
  }
  return absl::OkStatus();
}

absl::StatusOr<EncodedSample> TarDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const Image& image = images_[index];
  uint8_t* bytes = buffer.Reserve(image.size);
  RETURN_IF_ERROR(archives_[image.archive].Read(image.offset, image.size, bytes));
  EncodedSample sample;
  sample.bytes = {bytes, image.size};
  sample.encoding = SniffEncoding(sample.bytes);
  return sample;
}

}  // namespace data
