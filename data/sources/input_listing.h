// What the files of an input mean. Folders and archives are judged here by the same rules, so a
// folder and its tar are the same dataset.
//
//   Everything is a sample, left alone with a reason, or an error that names the file; what
//   contradicts itself is an error that names both places. docs/data.md lists the rules.
#ifndef DATA_SOURCES_INPUT_LISTING_H_
#define DATA_SOURCES_INPUT_LISTING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/io/sample_field.h"
#include "data/sources/dataset.h"
#include "data/sources/left_alone.h"

namespace data {

struct InputFile {
  enum class Kind {
    kFile,
    kFolder,
    kDanglingLink,  // leads nowhere
    kFolderLink,    // leads to a folder that is not looked into
    kSparse,        // a file without its holes, in a form that is not read
    kOther,         // a device, a pipe and the like
  };

  std::string path;  // "a/b", as stored: "./a//b" is the same
  Kind kind = Kind::kFile;
  int archive = 0;  // that it is in; a path stands but once in an archive
  int64_t id = 0;   // the source's own
};

// A file of the input that is a sample.
struct ListedImage {
  int64_t file = 0;  // its index among the files
  int64_t label = 0;
};

struct InputListing {
  std::vector<ListedImage> images;  // in the order of the files
  std::vector<SampleField> fields;  // those of OpenOptions::fields
  // Of image i and field f the file, [i * fields.size() + f]; -1: that image has none.
  std::vector<int64_t> field_files;
  std::vector<std::string> class_names;
  LeftAlone left_alone;
};

// How the source names a file and reads one, for errors and labels.
struct InputAccess {
  absl::FunctionRef<std::string(const InputFile&)> place;
  absl::FunctionRef<absl::StatusOr<std::string>(const InputFile&)> read_label;
};

// Labels the images among `files`, in one of two ways.
//   WebDataset: NAME.jpg beside NAME.cls, or beside the one .cls with the same key (the name up to
//   its first dot). It holds the label as a decimal number, which is the name of the class.
//   ImageFolder, where no image has a .cls: CLASS/NAME.jpg, with deeper folders inside a class.
//   A folder that holds all images in folders of its own stands around the classes.
// Fields are other files beside an image: NAME.json and NAME.boxes.npy beside NAME.jpg are its
// "json" and its "boxes.npy"; where only one image has a key, also those that follow the key.
// Images of a format that is not read are fields only if they are asked for by name.
// InvalidArgument for what contradicts itself, is in no class, or cannot be read.
absl::StatusOr<InputListing> ListInput(const std::string& input, absl::Span<const InputFile> files,
                                       const OpenOptions& options, const InputAccess& access);

// `path` without empty and "." components; the root of the input is "".
std::string NormalPath(absl::string_view path);

// Whether files of this name, or inside of a folder of this name, are no one's data: they begin
// with a dot, or a system or program keeps them for itself.
bool IsHiddenName(absl::string_view name);

// "train", "val" or "test" if `name`, the name of an archive or a folder, says so; else "".
absl::string_view SplitOfName(absl::string_view name);

// For classes that only the samples name: InvalidArgument, naming the first that none of `labels`
// is.
absl::Status CheckNoClassIsEmpty(const std::string& input,
                                 const std::vector<std::string>& class_names,
                                 absl::Span<const int64_t> labels);

// InvalidArgument, naming both places, if two classes have one name.
absl::Status CheckClassNamesDiffer(const std::string& input,
                                   const std::vector<std::string>& class_names);

}  // namespace data

#endif  // DATA_SOURCES_INPUT_LISTING_H_
