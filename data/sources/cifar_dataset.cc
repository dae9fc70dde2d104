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

namespace data {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr int kPlane = kSide * kSide;

// The training batches of a folder, in order.
absl::StatusOr<std::vector<std::string>> TrainingBatches(const std::string& folder) {
  std::vector<std::string> batches;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string file = it->path().filename();
    if (file == "train.bin" ||
        (absl::StartsWith(file, "data_batch_") && absl::EndsWith(file, ".bin"))) {
      batches.push_back(it->path());
    }
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder));
  if (batches.empty()) {
    return absl::NotFoundError(absl::StrCat(folder, ": no data_batch_*.bin or train.bin"));
  }
  std::sort(batches.begin(), batches.end());
  return batches;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CifarDataset>> CifarDataset::Open(const std::string& path) {
  std::vector<std::string> batches{path};
  std::string folder = fs::path(path).parent_path();
  if (fs::is_directory(path)) {
    folder = path;
    ASSIGN_OR_RETURN(batches, TrainingBatches(folder));
  }
  const bool fine = fs::exists(fs::path(folder) / "fine_label_names.txt");
  const fs::path names = fs::path(folder) / (fine ? "fine_label_names.txt" : "batches.meta.txt");
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(names));
  auto dataset = absl::WrapUnique(
      new CifarDataset(absl::StrSplit(text, absl::ByAnyChar("\r\n"), absl::SkipWhitespace()),
                       /*label_bytes=*/fine ? 2 : 1));
  for (const std::string& batch : batches) RETURN_IF_ERROR(dataset->AddBatch(batch));
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
  return absl::StrCat(fs::path(batch.path()).filename().string(), "#", local);
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
