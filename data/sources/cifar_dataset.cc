#include "data/sources/cifar_dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "data/sources/input_listing.h"

namespace data {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr int kPlane = kSide * kSide;

constexpr char kCifar100Batch[] = "train.bin";
constexpr char kNames10[] = "batches.meta.txt", kNames100[] = "fine_label_names.txt";

bool IsTrainingBatch(absl::string_view file) {
  return file == kCifar100Batch ||
         (absl::StartsWith(file, "data_batch_") && absl::EndsWith(file, ".bin"));
}

// The training batches of a folder, in order.
absl::StatusOr<std::vector<std::string>> TrainingBatches(const std::string& folder,
                                                         LeftAlone& left_alone) {
  std::vector<std::string> files, batches;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    files.push_back(it->path().filename());
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder));
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    if (IsTrainingBatch(file)) {
      batches.push_back(absl::StrCat(folder, "/", file));
    } else if (file != kNames10 && file != kNames100) {
      left_alone.Add(file, "not of the training set");
    }
  }
  if (batches.empty()) {
    return absl::NotFoundError(absl::StrCat(folder, ": no data_batch_*.bin or train.bin"));
  }
  if (batches.size() > 1 && fs::path(batches.back()).filename() == kCifar100Batch) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": holds two datasets, ", batches.front(), " and ", batches.back()));
  }
  return batches;
}

// The names, one a line; empty lines, with which CIFAR's own file ends, are none.
absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  std::vector<std::string> names;
  for (const absl::string_view line :
       absl::StrSplit(text, absl::ByAnyChar("\r\n"), absl::SkipWhitespace())) {
    names.push_back(PrintableName(line));
  }
  RETURN_IF_ERROR(CheckClassNamesDiffer(path, names));
  return names;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CifarDataset>> CifarDataset::Open(const std::string& path) {
  std::vector<std::string> batches{path};
  std::string folder = fs::path(path).parent_path();
  LeftAlone left_alone;
  if (fs::is_directory(path)) {
    folder = path;
    ASSIGN_OR_RETURN(batches, TrainingBatches(folder, left_alone));
  }
  const fs::path names10 = fs::path(folder) / kNames10, names100 = fs::path(folder) / kNames100;
  const bool fine = fs::exists(names100);
  if (fine && fs::exists(names10)) {
    return absl::InvalidArgumentError(
        absl::StrCat("two lists of classes, ", names10.native(), " and ", names100.native()));
  }
  ASSIGN_OR_RETURN(std::vector<std::string> names, ReadClassNames(fine ? names100 : names10));
  auto dataset = absl::WrapUnique(new CifarDataset(std::move(names), /*label_bytes=*/fine ? 2 : 1));
  dataset->left_alone_ = std::move(left_alone);
  for (const std::string& batch : batches) RETURN_IF_ERROR(dataset->AddBatch(batch));
  if (dataset->size() == 0) return absl::InvalidArgumentError(absl::StrCat(path, ": no samples"));
  return dataset;
}

absl::Status CifarDataset::AddBatch(const std::string& path) {
  ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::Open(path));
  const int64_t record = label_bytes_ + 3 * kPlane;
  if (file.size() % record != 0) {
    return absl::DataLossError(absl::StrCat(path, ": ", file.size(),
                                            " bytes are not whole records of ", record, " bytes"));
  }
  const int64_t count = file.size() / record;
  for (int64_t i = 0; i < count; ++i) {
    uint8_t label;
    RETURN_IF_ERROR(file.Read(i * record + label_bytes_ - 1, 1, &label));
    if (label >= class_names_.size()) {
      return absl::DataLossError(absl::StrCat(path, ": record ", i, " has label ", label, " of ",
                                              class_names_.size(), " classes"));
    }
    labels_.push_back(label);
  }
  batches_.push_back(std::move(file));
  first_.push_back(first_.back() + count);
  return absl::OkStatus();
}

std::pair<const RandomAccessFile&, int64_t> CifarDataset::Locate(int64_t index) const {
  const auto batch = std::upper_bound(first_.begin(), first_.end(), index) - first_.begin() - 1;
  return {batches_[batch], index - first_[batch]};
}

std::string CifarDataset::name(int64_t index) const {
  const auto [batch, local] = Locate(index);
  return absl::StrCat(PrintableName(fs::path(batch.path()).filename().native()), "#", local);
}

absl::StatusOr<EncodedSample> CifarDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const auto [batch, local] = Locate(index);
  uint8_t planes[3 * kPlane];
  const int64_t record = label_bytes_ + sizeof(planes);
  RETURN_IF_ERROR(batch.Read(local * record + label_bytes_, sizeof(planes), planes));
  uint8_t* pixels = buffer.Reserve(sizeof(planes));
  for (int i = 0; i < kPlane; ++i) {
    for (int c = 0; c < 3; ++c) pixels[3 * i + c] = planes[c * kPlane + i];
  }
  EncodedSample sample;
  sample.encoding = Encoding::kRawRgb;
  sample.width = kSide;
  sample.height = kSide;
  sample.bytes = {pixels, sizeof(planes)};
  return sample;
}

}  // namespace data
