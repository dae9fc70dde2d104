#include "data/sources/tar_dataset.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "data/io/file_pool.h"
#include "data/io/printable_name.h"
#include "data/io/tar_archive.h"
#include "data/sources/image_files.h"
#include "data/sources/input_listing.h"

namespace data {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxLabelSize = 32;
constexpr size_t kOpenArchives = 64;

absl::StatusOr<std::vector<std::string>> ArchivesOf(const std::string& path,
                                                    LeftAlone& left_alone) {
  if (!fs::is_directory(path)) return std::vector<std::string>{path};
  std::vector<std::string> archives, others;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    const bool archive = absl::EndsWithIgnoreCase(name, ".tar") && !IsHiddenName(name);
    (archive ? archives : others).push_back(archive ? it->path().native() : name);
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", path));
  if (archives.empty()) return absl::NotFoundError(absl::StrCat(path, ": no *.tar"));
  std::sort(archives.begin(), archives.end());
  std::sort(others.begin(), others.end());
  for (const std::string& name : others) left_alone.Add(name, "no archive by its name");
  return archives;
}

// Archives "train" and "val" are not one dataset.
absl::Status CheckOneSplit(const std::string& path, const std::vector<std::string>& archives) {
  std::map<absl::string_view, std::string> splits;
  for (const std::string& archive : archives) {
    const std::string name = fs::path(archive).filename();
    const absl::string_view split = SplitOfName(name);
    if (!split.empty()) splits.emplace(split, name);
  }
  if (splits.size() < 2) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": holds two datasets, ", splits.begin()->second, " and ",
                   std::next(splits.begin())->second, ": name one of them"));
}

// Finds what the links of an archive lead to.
class LinkResolver {
 public:
  explicit LinkResolver(std::vector<TarMember>& members) : members_(members) {
    for (size_t i = 0; i < members.size(); ++i) {
      const std::string path = NormalPath(members[i].name);
      by_path_[path] = i;
      for (size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
           slash = path.rfind('/', slash - 1)) {
        if (!folders_.insert(path.substr(0, slash)).second) break;
      }
      if (members[i].kind == TarMember::Kind::kFolder) folders_.insert(path);
    }
  }

  // Gives member `index`, a link, the content of its target; says what it is.
  InputFile::Kind Resolve(size_t index) {
    constexpr int kMaxLinks = 8;
    std::string path = NormalPath(members_[index].name);
    const TarMember* at = &members_[index];
    for (int i = 0; i < kMaxLinks; ++i) {
      if (at->kind == TarMember::Kind::kHardLink) {
        path = NormalPath(at->target);
      } else if (absl::StartsWith(at->target, "/")) {
        return InputFile::Kind::kDanglingLink;  // leads out of the archive
      } else {
        const fs::path target = fs::path(path).parent_path() / at->target;
        path = NormalPath(target.lexically_normal().native());
      }
      if (folders_.contains(path)) return InputFile::Kind::kFolderLink;
      const auto found = by_path_.find(path);
      if (found == by_path_.end()) return InputFile::Kind::kDanglingLink;
      at = &members_[found->second];
      if (at->kind == TarMember::Kind::kHardLink || at->kind == TarMember::Kind::kSymbolicLink) {
        continue;
      }
      members_[index].offset = at->offset;
      members_[index].size = at->size;
      if (at->kind == TarMember::Kind::kSparse) return InputFile::Kind::kSparse;
      return at->kind == TarMember::Kind::kFile ? InputFile::Kind::kFile : InputFile::Kind::kOther;
    }
    return InputFile::Kind::kDanglingLink;
  }

 private:
  std::vector<TarMember>& members_;
  absl::flat_hash_map<std::string, size_t> by_path_;
  absl::flat_hash_set<std::string> folders_;
};

InputFile::Kind KindOf(std::vector<TarMember>& members, size_t index, LinkResolver& links) {
  switch (members[index].kind) {
    case TarMember::Kind::kFile:
      return InputFile::Kind::kFile;
    case TarMember::Kind::kFolder:
      return InputFile::Kind::kFolder;
    case TarMember::Kind::kHardLink:
    case TarMember::Kind::kSymbolicLink:
      return links.Resolve(index);
    case TarMember::Kind::kSparse:
      return InputFile::Kind::kSparse;
    case TarMember::Kind::kOther:
      break;
  }
  return InputFile::Kind::kOther;
}

absl::StatusOr<std::string> ReadLabel(const RandomAccessFile& archive, const TarMember& member) {
  if (member.size > kMaxLabelSize) {
    return absl::InvalidArgumentError(
        absl::StrCat(archive.path(), ": ", member.name, ": ", member.size, " bytes are no label"));
  }
  std::string text(member.size, '\0');
  RETURN_IF_ERROR(archive.Read(member.offset, text.size(), text.data()));
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TarDataset>> TarDataset::Open(const std::string& path,
                                                             const OpenOptions& options) {
  auto dataset = absl::WrapUnique(new TarDataset());
  std::vector<RandomAccessFile>& archives = dataset->archives_;
  LeftAlone beside;
  ASSIGN_OR_RETURN(const std::vector<std::string> paths, ArchivesOf(path, beside));
  RETURN_IF_ERROR(CheckOneSplit(path, paths));
  const auto pool = std::make_shared<FilePool>(kOpenArchives);
  std::vector<TarMember> members;  // of all archives
  std::vector<InputFile> files;
  for (const std::string& archive_path : paths) {
    ASSIGN_OR_RETURN(RandomAccessFile archive, RandomAccessFile::Open(archive_path, pool));
    ASSIGN_OR_RETURN(std::vector<TarMember> added, ListTar(archive));
    LinkResolver links(added);
    for (size_t i = 0; i < added.size(); ++i) {
      const InputFile::Kind kind = KindOf(added, i, links);
      files.push_back({added[i].name, kind, static_cast<int>(archives.size()),
                       static_cast<int64_t>(members.size() + i)});
    }
    std::move(added.begin(), added.end(), std::back_inserter(members));
    archives.push_back(std::move(archive));
  }

  const auto place = [&](const InputFile& file) {
    return absl::StrCat(paths.size() > 1 ? paths[file.archive] + ": " : "",
                        PrintableName(file.path), " (byte ", members[file.id].header, ")");
  };
  const auto read_label = [&](const InputFile& file) {
    return ReadLabel(archives[file.archive], members[file.id]);
  };
  ASSIGN_OR_RETURN(InputListing listing, ListInput(path, files, options, {place, read_label}));
  dataset->class_names_ = std::move(listing.class_names);
  dataset->left_alone_ = std::move(listing.left_alone);
  dataset->left_alone_.Add(beside);
  for (const ListedImage& image : listing.images) {
    TarMember& member = members[files[image.file].id];
    dataset->images_.push_back({std::move(member.name),
                                image.label,
                                files[image.file].archive,
                                {member.offset, member.size}});
  }
  dataset->fields_ = std::move(listing.fields);
  for (const int64_t file : listing.field_files) {
    Extent& extent = dataset->field_bytes_.emplace_back();
    if (file >= 0) extent = {members[files[file].id].offset, members[files[file].id].size};
  }
  return dataset;
}

// Archives may number their members each from the start.
std::string TarDataset::name(int64_t index) const {
  const Image& image = images_[index];
  const std::string name = PrintableName(image.name);
  if (archives_.size() == 1) return name;
  const fs::path archive = archives_[image.archive].path();
  return absl::StrCat(PrintableName(archive.filename().native()), "/", name);
}

absl::StatusOr<EncodedSample> TarDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const Image& image = images_[index];
  const auto fields = absl::MakeSpan(field_bytes_).subspan(index * fields_.size(), fields_.size());
  uint64_t size = image.bytes.size;
  for (const Extent& field : fields) size += field.size;
  uint8_t* to = buffer.Reserve(size);
  const auto read = [&](const Extent& extent) -> absl::StatusOr<absl::Span<const uint8_t>> {
    RETURN_IF_ERROR(archives_[image.archive].Read(extent.offset, extent.size, to));
    return absl::MakeConstSpan(std::exchange(to, to + extent.size), extent.size);
  };
  EncodedSample sample;
  ASSIGN_OR_RETURN(sample.bytes, read(image.bytes));
  sample.encoding = SniffEncoding(sample.bytes);
  for (const Extent& field : fields) {
    sample.fields.emplace_back();
    if (field.offset == 0) continue;
    ASSIGN_OR_RETURN(sample.fields.back(), read(field));
  }
  return sample;
}

}  // namespace data
