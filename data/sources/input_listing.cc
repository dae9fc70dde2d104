#include "data/sources/input_listing.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "data/io/sample_field.h"
#include "data/sources/image_files.h"

namespace data {
namespace {

constexpr int64_t kMaxClasses = 1 << 20;
constexpr char kLabelExtension[] = ".cls";

// A path in an archive.
using Key = std::pair<int, std::string>;

absl::string_view FirstComponent(absl::string_view path) { return path.substr(0, path.find('/')); }

bool IsInFolder(absl::string_view path) { return path.find('/') != absl::string_view::npos; }

// WebDataset's key: the name up to the first dot of its last component.
absl::string_view KeyOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return path.substr(0, path.find('.', slash == absl::string_view::npos ? 0 : slash + 1));
}

absl::string_view StemOf(absl::string_view path) { return path.substr(0, path.rfind('.')); }

// The path up to its first hidden component; "" if there is none.
absl::string_view HiddenPart(absl::string_view path) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (IsHiddenName(path.substr(begin, end - begin))) return path.substr(0, end);
    begin = end + 1;
  }
  return "";
}

class InputLister {
 public:
  InputLister(const std::string& input, absl::Span<const InputFile> files,
              const OpenOptions& options, const InputAccess& access)
      : input_(input), files_(files), options_(options), access_(access) {}

  absl::StatusOr<InputListing> Run() {
    paths_.resize(files_.size());
    for (size_t i = 0; i < files_.size(); ++i) RETURN_IF_ERROR(Sort(i));
    for (ListedImage& image : listing_.images) RETURN_IF_ERROR(FindLabel(image));
    for (const int64_t label : labels_) {
      if (!image_of_.contains(label)) Leave(label, "a label without an image");
    }
    RETURN_IF_ERROR(FindFields());
    if (listing_.images.empty()) return Invalid(absl::StrCat("no images", Beside()));
    RETURN_IF_ERROR(CheckOneWay());
    wrapper_ = FindWrapper();
    RETURN_IF_ERROR(CheckOneSplit());
    RETURN_IF_ERROR(image_of_.empty() ? NumberFolders() : NumberLabels());
    RETURN_IF_ERROR(CheckClassNamesDiffer(input_, listing_.class_names));
    if (!options_.allow_empty_classes) {
      std::vector<int64_t> labels;
      for (const ListedImage& image : listing_.images) labels.push_back(image.label);
      RETURN_IF_ERROR(CheckNoClassIsEmpty(input_, listing_.class_names, labels));
    }
    return std::move(listing_);
  }

 private:
  static constexpr int64_t kByFolder = -1;

  absl::Status Invalid(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(input_, ": ", what));
  }

  std::string Place(int64_t file) const { return access_.place(files_[file]); }

  void Leave(int64_t file, absl::string_view reason) {
    listing_.left_alone.Add(paths_[file], reason);
  }

  // What is there instead of images.
  std::string Beside() const {
    const auto lines = listing_.left_alone.Lines(/*names=*/3);
    return lines.empty() ? "" : absl::StrCat("; ", lines.front());
  }

  // Decides what a file is by its name.
  absl::Status Sort(int64_t index) {
    const InputFile& file = files_[index];
    std::string& path = paths_[index] = NormalPath(file.path);
    if (path.empty()) return absl::OkStatus();
    if (path == ".." || absl::StartsWith(path, "../") || absl::StrContains(path, "/../")) {
      return Invalid(absl::StrCat(Place(index), " leads out of the input"));
    }
    if (const absl::string_view hidden = HiddenPart(path); !hidden.empty()) {
      if (hidden_.insert(std::string(hidden)).second) {
        listing_.left_alone.Add(hidden, "hidden, or a system's own");
      }
      return absl::OkStatus();
    }
    if (file.kind == InputFile::Kind::kFolder) {
      folders_.insert(path);
      return absl::OkStatus();
    }
    const bool image = IsImageName(path), label = absl::EndsWith(path, kLabelExtension);
    if (file.kind == InputFile::Kind::kFolderLink) {
      return Invalid(absl::StrCat(Place(index), " is a link to a folder, which is not followed"));
    }
    if (file.kind == InputFile::Kind::kOther) {
      Leave(index, "neither a file nor a folder");
    } else if (!image && !label) {
      if (file.kind == InputFile::Kind::kDanglingLink) {
        Leave(index, "a link that leads nowhere");
      } else {
        others_.push_back(index);
      }
    } else {
      RETURN_IF_ERROR(CheckReadable(index));
      RETURN_IF_ERROR(Add(index, label));
    }
    return absl::OkStatus();
  }

  absl::Status CheckReadable(int64_t index) const {
    if (files_[index].kind == InputFile::Kind::kDanglingLink) {
      return absl::NotFoundError(
          absl::StrCat(input_, ": ", Place(index), " is a link that leads nowhere"));
    }
    if (files_[index].kind == InputFile::Kind::kSparse) {
      return Invalid(absl::StrCat(Place(index), " is a sparse member, which is not read"));
    }
    return absl::OkStatus();
  }

  absl::Status Add(int64_t index, bool is_label) {
    const std::string& path = paths_[index];
    const int archive = files_[index].archive;
    const auto [known, added] = by_path_.emplace(Key(archive, path), index);
    if (!added) {
      return Invalid(absl::StrCat("one name twice: ", Place(known->second), " and ", Place(index)));
    }
    if (is_label) {
      labels_.push_back(index);
      by_key_[Key(archive, KeyOf(path))].push_back(index);
    } else {
      listing_.images.push_back({index, kByFolder});
    }
    return absl::OkStatus();
  }

  absl::Status FindLabel(ListedImage& image) {
    const std::string& path = paths_[image.file];
    const int archive = files_[image.file].archive;
    const auto own = by_path_.find(Key(archive, absl::StrCat(StemOf(path), kLabelExtension)));
    int64_t label = own == by_path_.end() ? -1 : own->second;
    if (label < 0) {
      const auto shared = by_key_.find(Key(archive, KeyOf(path)));
      if (shared == by_key_.end()) return absl::OkStatus();
      if (shared->second.size() > 1) {
        return Invalid(absl::StrCat("two labels of ", Place(image.file), ": ",
                                    Place(shared->second[0]), " and ", Place(shared->second[1])));
      }
      label = shared->second[0];
    }
    const auto [other, first] = image_of_.emplace(label, image.file);
    if (!first) {
      return Invalid(absl::StrCat("two images of the label ", Place(label), ": ",
                                  Place(other->second), " and ", Place(image.file)));
    }
    ASSIGN_OR_RETURN(const std::string text, access_.read_label(files_[label]));
    if (!absl::SimpleAtoi(text, &image.label) || image.label < 0 || image.label >= kMaxClasses) {
      return Invalid(absl::StrCat(Place(label), " is not a label from 0 to ", kMaxClasses - 1));
    }
    return absl::OkStatus();
  }

  void LeaveOther(int64_t file) {
    Leave(file, IsOtherImageName(paths_[file]) ? "an image of a format that is not read"
                                               : "no image by its name");
  }

  // The image that a file is a field of, and the field's name; -1: of none. The longest name of an
  // image decides.
  std::pair<int64_t, absl::string_view> FieldOf(int64_t file) const {
    const absl::string_view path = paths_[file];
    const int archive = files_[file].archive;
    const size_t name = path.rfind('/') + 1;  // 0 without a slash
    const absl::string_view key = KeyOf(path);
    for (size_t dot = path.rfind('.'); dot != absl::string_view::npos && dot > name;
         dot = path.rfind('.', dot - 1)) {
      const auto found = image_by_stem_.find(Key(archive, path.substr(0, dot)));
      if (found != image_by_stem_.end()) return {found->second, path.substr(dot + 1)};
    }
    const auto found = image_by_key_.find(Key(archive, key));
    if (found == image_by_key_.end() || key.size() == path.size()) return {-1, ""};
    return {found->second, path.substr(key.size() + 1)};
  }

  // Notes an image, or, where there is one already, that no name tells which.
  static void AddUnique(absl::flat_hash_map<Key, int64_t>& images, Key key, int64_t image) {
    const auto [known, added] = images.emplace(std::move(key), image);
    if (!added) known->second = -1;
  }

  absl::Status FindFields() {
    auto& images = listing_.images;
    if (!options_.fields.any()) {
      for (const int64_t file : others_) LeaveOther(file);
      return absl::OkStatus();
    }
    for (size_t i = 0; i < images.size(); ++i) {
      const std::string& path = paths_[images[i].file];
      const int archive = files_[images[i].file].archive;
      AddUnique(image_by_stem_, Key(archive, StemOf(path)), i);
      AddUnique(image_by_key_, Key(archive, KeyOf(path)), i);
    }
    std::map<absl::string_view, std::vector<std::pair<int64_t, int64_t>>> found;  // image and file
    for (const int64_t file : others_) {
      // It may well be a sample of its own.
      if (options_.fields.all && IsOtherImageName(paths_[file])) continue;
      const auto [image, name] = FieldOf(file);
      if (image >= 0 && !name.empty()) found[name].emplace_back(image, file);
    }
    std::vector<SampleField> there;
    for (const auto& [name, files] : found) there.push_back({std::string(name)});
    ASSIGN_OR_RETURN(const std::vector<int> chosen, ChooseFields(input_, there, options_.fields));
    listing_.field_files.assign(images.size() * chosen.size(), -1);
    absl::flat_hash_set<int64_t> taken;
    for (size_t f = 0; f < chosen.size(); ++f) {
      listing_.fields.push_back(there[chosen[f]]);
      for (const auto& [image, file] : found[there[chosen[f]].name]) {
        RETURN_IF_ERROR(CheckReadable(file));
        int64_t& place = listing_.field_files[image * chosen.size() + f];
        if (place >= 0) {
          return Invalid(absl::StrCat("two fields ", PrintableName(there[chosen[f]].name), " of ",
                                      Place(images[image].file), ": ", Place(place), " and ",
                                      Place(file)));
        }
        place = file;
        taken.insert(file);
      }
    }
    for (const int64_t file : others_) {
      if (!taken.contains(file)) LeaveOther(file);
    }
    return absl::OkStatus();
  }

  // Labels or folders, not both.
  absl::Status CheckOneWay() const {
    const auto& images = listing_.images;
    if (image_of_.size() == images.size()) return absl::OkStatus();
    const auto bare = std::find_if(images.begin(), images.end(), [](const ListedImage& image) {
      return image.label == kByFolder;
    });
    if (!image_of_.empty()) {
      const auto labelled =
          std::find_if(images.begin(), images.end(),
                       [](const ListedImage& image) { return image.label != kByFolder; });
      return Invalid(absl::StrCat("some images have a .cls (", Place(labelled->file),
                                  "), others have none (", Place(bare->file), ")"));
    }
    for (const ListedImage& image : images) {
      if (!IsInFolder(paths_[image.file])) {
        return Invalid(absl::StrCat(Place(image.file), " has no .cls and is in no folder"));
      }
    }
    return absl::OkStatus();
  }

  // Folders "train" and "val" are not two classes, and not one dataset.
  absl::Status CheckOneSplit() const {
    std::map<absl::string_view, int64_t> splits;
    for (const ListedImage& image : listing_.images) {
      const absl::string_view path = Unwrapped(paths_[image.file]);
      if (!IsInFolder(path)) return absl::OkStatus();
      const absl::string_view split = SplitOfName(FirstComponent(path));
      if (split.empty()) return absl::OkStatus();
      splits.emplace(split, image.file);
    }
    if (splits.size() < 2) return absl::OkStatus();
    return Invalid(absl::StrCat("holds two datasets, ", Place(splits.begin()->second), " and ",
                                Place(std::next(splits.begin())->second), ": name one of them"));
  }

  absl::Status NumberLabels() {
    int64_t last = 0;
    for (const ListedImage& image : listing_.images) last = std::max(last, image.label);
    for (int64_t i = 0; i <= last; ++i) listing_.class_names.push_back(absl::StrCat(i));
    return absl::OkStatus();
  }

  absl::string_view Unwrapped(absl::string_view path) const { return path.substr(wrapper_.size()); }

  // What stands around the folders that tell images apart: "" or "a/b/".
  std::string FindWrapper() const {
    for (std::string wrapper;;) {
      std::set<absl::string_view> found;
      for (const std::string& folder : folders_) {
        if (absl::StartsWith(folder, wrapper)) {
          found.insert(FirstComponent(absl::string_view(folder).substr(wrapper.size())));
        }
      }
      for (const ListedImage& image : listing_.images) {
        const absl::string_view path = absl::string_view(paths_[image.file]).substr(wrapper.size());
        const absl::string_view component = FirstComponent(path);
        if (component == path || !IsInFolder(path.substr(component.size() + 1))) return wrapper;
        found.insert(component);
        if (found.size() > 1) return wrapper;
      }
      absl::StrAppend(&wrapper, *found.begin(), "/");
    }
  }

  // Folders become numbers in the order of their names.
  absl::Status NumberFolders() {
    if (!wrapper_.empty()) {
      listing_.left_alone.Add(wrapper_.substr(0, wrapper_.size() - 1),
                              "a folder around the classes");
    }
    std::map<absl::string_view, int64_t> classes;
    for (const std::string& folder : folders_) {
      if (folder.size() > wrapper_.size() && absl::StartsWith(folder, wrapper_)) {
        classes.emplace(FirstComponent(Unwrapped(folder)), 0);
      }
    }
    for (const ListedImage& image : listing_.images) {
      classes.emplace(FirstComponent(Unwrapped(paths_[image.file])), 0);
    }
    for (auto& [name, number] : classes) {
      number = listing_.class_names.size();
      listing_.class_names.push_back(PrintableName(name));
    }
    for (ListedImage& image : listing_.images) {
      image.label = classes.at(FirstComponent(Unwrapped(paths_[image.file])));
    }
    return absl::OkStatus();
  }

  const std::string& input_;
  const absl::Span<const InputFile> files_;
  const OpenOptions& options_;
  const InputAccess& access_;
  std::vector<std::string> paths_;  // of the files, normal
  std::set<std::string> folders_;
  absl::flat_hash_set<std::string> hidden_;
  absl::flat_hash_map<Key, int64_t> by_path_;              // images and labels
  absl::flat_hash_map<Key, std::vector<int64_t>> by_key_;  // labels
  std::vector<int64_t> labels_;
  std::vector<int64_t> others_;  // files that are neither
  absl::flat_hash_map<Key, int64_t> image_by_stem_;
  absl::flat_hash_map<Key, int64_t> image_by_key_;
  absl::flat_hash_map<int64_t, int64_t> image_of_;  // a label
  std::string wrapper_;
  InputListing listing_;
};

}  // namespace

absl::StatusOr<InputListing> ListInput(const std::string& input, absl::Span<const InputFile> files,
                                       const OpenOptions& options, const InputAccess& access) {
  return InputLister(input, files, options, access).Run();
}

std::string NormalPath(absl::string_view path) {
  std::string normal;
  for (const absl::string_view component : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (component != ".") absl::StrAppend(&normal, normal.empty() ? "" : "/", component);
  }
  return normal;
}

bool IsHiddenName(absl::string_view name) {
  if (absl::StartsWith(name, ".")) return true;
  for (const absl::string_view own : {"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN",
                                      "System Volume Information", "Thumbs.db", "desktop.ini"}) {
    if (absl::EqualsIgnoreCase(name, own)) return true;
  }
  return false;
}

absl::string_view SplitOfName(absl::string_view name) {
  static constexpr std::pair<const char*, const char*> kWords[] = {
      {"train", "train"},    {"training", "train"}, {"val", "val"},   {"valid", "val"},
      {"validation", "val"}, {"dev", "val"},        {"test", "test"}, {"testing", "test"},
  };
  const std::string lower = absl::AsciiStrToLower(name);
  for (size_t begin = 0; begin < lower.size(); ++begin) {
    size_t end = begin;
    while (end < lower.size() && absl::ascii_isalpha(lower[end])) ++end;
    for (const auto& [word, split] : kWords) {
      if (absl::string_view(lower).substr(begin, end - begin) == word) return split;
    }
    begin = end;
  }
  return "";
}

absl::Status CheckNoClassIsEmpty(const std::string& input,
                                 const std::vector<std::string>& class_names,
                                 absl::Span<const int64_t> labels) {
  std::vector<bool> found(class_names.size());
  for (const int64_t label : labels) found[label] = true;
  const auto empty = std::find(found.begin(), found.end(), false);
  if (empty == found.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(input, ": class ", class_names[empty - found.begin()],
                   " has no image; empty classes: ", std::count(found.begin(), found.end(), false),
                   " of ", class_names.size(), " (pack and inspect take --allow_empty_classes)"));
}

absl::Status CheckClassNamesDiffer(const std::string& input,
                                   const std::vector<std::string>& class_names) {
  absl::flat_hash_map<absl::string_view, size_t> first;
  for (size_t i = 0; i < class_names.size(); ++i) {
    const auto [known, added] = first.emplace(class_names[i], i);
    if (!added) {
      return absl::InvalidArgumentError(absl::StrCat(input, ": classes ", known->second, " and ", i,
                                                     " are both called ", class_names[i]));
    }
  }
  return absl::OkStatus();
}

}  // namespace data
