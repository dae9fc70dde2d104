#include "data/sources/idx_dataset.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "data/sources/input_listing.h"
#include "zlib.h"

namespace data {
namespace {

namespace fs = std::filesystem;

// The magic numbers: unsigned bytes in three dimensions and in one.
constexpr uint32_t kImages = 0x00000803, kLabels = 0x00000801;
constexpr uint64_t kMostBytes = uint64_t{4} << 30;

// What networks for small images take; MNIST's have 28.
constexpr int kLeastSide = 32;

// A file that is gzip-compressed or not, read from its beginning.
class GzipFile {
 public:
  static absl::StatusOr<GzipFile> Open(const std::string& path) {
    GzipFile file(path);
    errno = 0;
    file.file_.reset(gzopen(path.c_str(), "rb"));
    if (file.file_ == nullptr) {
      return absl::ErrnoToStatus(errno != 0 ? errno : ENOMEM, absl::StrCat("cannot open ", path));
    }
    return file;
  }

  // Up to `count` bytes; fewer at the end of the file. DataLoss if what is compressed is damaged.
  absl::StatusOr<size_t> Read(size_t count, uint8_t* to) {
    errno = 0;
    const int read = gzread(file_.get(), to, static_cast<unsigned>(count));
    int error = Z_OK;
    const char* const text = gzerror(file_.get(), &error);
    if (error == Z_ERRNO) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path_));
    // Z_BUF_ERROR: cut short; the caller counts the bytes.
    if (read < 0 || (error != Z_OK && error != Z_STREAM_END && error != Z_BUF_ERROR)) {
      return absl::DataLossError(absl::StrCat(path_, ": ", text));
    }
    return static_cast<size_t>(read);
  }

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  explicit GzipFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

// The values of an IDX file; sizes: of its dimensions, as many as `magic` has.
absl::StatusOr<std::vector<uint8_t>> ReadValues(const std::string& path, uint32_t magic,
                                                std::vector<uint32_t>& sizes) {
  ASSIGN_OR_RETURN(GzipFile file, GzipFile::Open(path));
  const auto ends_early = [&](uint64_t got, uint64_t wanted) {
    return absl::DataLossError(
        absl::StrCat(path, ": ends after ", got, " of ", wanted, " bytes (uncompressed)"));
  };
  uint8_t header[16];
  const size_t header_size = 4 * (1 + magic % 256);
  ASSIGN_OR_RETURN(const size_t got, file.Read(header_size, header));
  const auto number = [&](int i) {
    const uint8_t* p = header + 4 * i;
    return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
  };
  if (got < 4) return ends_early(got, header_size);
  if (number(0) != magic) {
    return absl::DataLossError(
        absl::StrFormat("%s: begins with the magic number %#010x, not with %#010x, that of %s",
                        path, number(0), magic, magic == kImages ? "images" : "labels"));
  }
  if (got < header_size) return ends_early(got, header_size);
  uint64_t count = 1;
  for (uint32_t i = 1; i <= magic % 256; ++i) {
    sizes.push_back(number(i));
    if (sizes.back() == 0) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": its size ", i, " is 0"));
    }
    count = sizes.back() > kMostBytes / count ? kMostBytes + 1 : count * sizes.back();
  }
  if (count > kMostBytes) {
    return absl::DataLossError(
        absl::StrCat(path, ": its sizes make more than ", kMostBytes, " bytes"));
  }
  // Grows as data comes, so that a header that lies costs no memory.
  constexpr uint64_t kPiece = 16 << 20;
  std::vector<uint8_t> values;
  while (values.size() < count) {
    const size_t before = values.size();
    const size_t piece = std::min(kPiece, count - before);
    values.resize(before + piece);
    ASSIGN_OR_RETURN(const size_t read, file.Read(piece, values.data() + before));
    if (read < piece) return ends_early(header_size + before + read, header_size + count);
  }
  uint8_t more;
  ASSIGN_OR_RETURN(const size_t beyond, file.Read(1, &more));
  if (beyond > 0) {
    return absl::DataLossError(
        absl::StrCat(path, ": goes on after the ", header_size + count, " bytes of its sizes"));
  }
  return values;
}

std::string LabelsPath(const std::string& images) {
  const fs::path path(images);
  return path.parent_path() /
         absl::StrReplaceAll(path.filename().native(), {{"-images", "-labels"}, {"idx3", "idx1"}});
}

// The file of images to read in a folder.
absl::StatusOr<std::string> ImagesOfFolder(const std::string& folder, LeftAlone& left_alone) {
  std::vector<std::string> images, others;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    (IsIdxImagesName(name) ? images : others).push_back(name);
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder));
  std::sort(images.begin(), images.end());
  std::vector<std::string> training;
  std::copy_if(images.begin(), images.end(), std::back_inserter(training),
               [](const std::string& name) { return absl::StartsWith(name, "train-"); });
  const std::vector<std::string>& candidates = training.empty() ? images : training;
  if (candidates.empty()) {
    return absl::NotFoundError(absl::StrCat(folder, ": no images-idx3-ubyte"));
  }
  if (candidates.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(folder, ": holds two sets of images, ",
                                                   candidates[0], " and ", candidates[1],
                                                   "; name one of them"));
  }
  const std::string chosen = absl::StrCat(folder, "/", candidates[0]);
  for (const auto* names : {&images, &others}) {
    for (const std::string& name : *names) {
      const bool used = name == candidates[0] || name == fs::path(LabelsPath(chosen)).filename();
      if (!used) left_alone.Add(name, "not of the training set");
    }
  }
  return chosen;
}

}  // namespace

bool IsIdxImagesName(absl::string_view name) {
  absl::ConsumeSuffix(&name, ".gz");
  return absl::EndsWith(name, "-images-idx3-ubyte") || absl::EndsWith(name, "-images.idx3-ubyte");
}

absl::StatusOr<std::unique_ptr<IdxDataset>> IdxDataset::Open(const std::string& path,
                                                             const OpenOptions& options) {
  std::string images = path;
  LeftAlone left_alone;
  if (fs::is_directory(path)) {
    ASSIGN_OR_RETURN(images, ImagesOfFolder(path, left_alone));
  }
  if (!IsIdxImagesName(fs::path(images).filename().native())) {
    return absl::InvalidArgumentError(
        absl::StrCat(images, ": its name is not that of IDX images, NAME-images-idx3-ubyte[.gz]"));
  }
  auto dataset =
      absl::WrapUnique(new IdxDataset(PrintableName(fs::path(images).filename().native())));
  dataset->left_alone_ = std::move(left_alone);
  std::vector<uint32_t> sizes, label_sizes;
  ASSIGN_OR_RETURN(dataset->pixels_, ReadValues(images, kImages, sizes));
  const std::string labels = LabelsPath(images);
  ASSIGN_OR_RETURN(dataset->labels_, ReadValues(labels, kLabels, label_sizes));
  if (sizes[0] != label_sizes[0]) {
    return absl::InvalidArgumentError(absl::StrCat(images, " has ", sizes[0], " images, ", labels,
                                                   " has ", label_sizes[0], " labels"));
  }
  constexpr uint32_t kMostSide = 65535;
  if (sizes[1] > kMostSide || sizes[2] > kMostSide) {
    return absl::DataLossError(
        absl::StrCat(images, ": images of ", sizes[2], " x ", sizes[1], " pixels"));
  }
  dataset->height_ = static_cast<int>(sizes[1]);
  dataset->width_ = static_cast<int>(sizes[2]);
  const int classes = 1 + *std::max_element(dataset->labels_.begin(), dataset->labels_.end());
  for (int i = 0; i < classes; ++i) dataset->class_names_.push_back(absl::StrCat(i));
  if (!options.allow_empty_classes) {
    RETURN_IF_ERROR(CheckNoClassIsEmpty(labels, dataset->class_names_, Labels(*dataset)));
  }
  return dataset;
}

std::string IdxDataset::name(int64_t index) const { return absl::StrCat(images_name_, "#", index); }

absl::StatusOr<EncodedSample> IdxDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const int width = std::max(width_, kLeastSide), height = std::max(height_, kLeastSide);
  const int left = (width - width_) / 2, top = (height - height_) / 2;
  const size_t size = 3 * static_cast<size_t>(width) * height;
  uint8_t* const pixels = buffer.Reserve(size);
  std::fill_n(pixels, size, 0);
  const uint8_t* grey = pixels_.data() + index * static_cast<size_t>(width_) * height_;
  for (int y = top; y < top + height_; ++y) {
    uint8_t* pixel = pixels + 3 * (static_cast<size_t>(y) * width + left);
    for (int x = 0; x < width_; ++x, pixel += 3) std::fill_n(pixel, 3, *grey++);
  }
  EncodedSample sample;
  sample.encoding = Encoding::kRawRgb;
  sample.width = width;
  sample.height = height;
  sample.bytes = {pixels, size};
  return sample;
}

}  // namespace data
