#include "distributed/training/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "base/tensor_bytes.h"
#include "distributed/training/replace_folder.h"
#include "glog/logging.h"
#include "xxhash.h"

namespace distributed {
namespace {

constexpr char kStateFile[] = "state.pt";
constexpr char kDescriptionFile[] = "checkpoint.json";
constexpr char kStepPrefix[] = "step_";
constexpr char kTemporaryPrefix[] = ".tmp_";
constexpr char kReplaced[] = ".tmp_replaced_";
constexpr char kAside[] = "set_aside_";
constexpr int kFormat = 1;

std::string Hash(absl::string_view bytes) {
  return absl::StrFormat("%016x", XXH3_64bits(bytes.data(), bytes.size()));
}

absl::StatusOr<nlohmann::json> ReadDescription(const std::string& path) {
  const std::string file = absl::StrCat(path, "/", kDescriptionFile);
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("format") || !json.contains("description") ||
      !json.contains("state_xxh3")) {
    return absl::DataLossError(absl::StrCat(file, ": damaged"));
  }
  if (json["format"] != kFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat(file, ": format ", json["format"].dump(), ", this program reads ", kFormat));
  }
  return json;
}

absl::Status RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? absl::ErrnoToStatus(error.value(), absl::StrCat("cannot remove ", path))
               : absl::OkStatus();
}

// The names in `folder`.
absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename());
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder));
  return names;
}

}  // namespace

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  ASSIGN_OR_RETURN(const nlohmann::json json, ReadDescription(path));
  const std::string file = absl::StrCat(path, "/", kStateFile);
  ASSIGN_OR_RETURN(const std::string bytes, base::ReadFile(file));
  if (json["state_xxh3"] != Hash(bytes)) {
    return absl::DataLossError(
        absl::StrCat(file, ": damaged: its hash is not the one in ", kDescriptionFile));
  }
  Checkpoint checkpoint;
  ASSIGN_OR_RETURN(checkpoint.state, base::ReadTensorFile(file));
  checkpoint.description = json["description"];
  return checkpoint;
}

absl::Status CheckpointStore::Open() {
  RETURN_IF_ERROR(base::MakeFolder(folder_));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_));
  for (const std::string& name : names) {
    // Where folders cannot be exchanged, a writer may have been killed between its two renames.
    int64_t step;
    absl::string_view rest = name;
    if (absl::ConsumePrefix(&rest, kReplaced) && absl::SimpleAtoi(rest, &step) &&
        access(Path(step).c_str(), F_OK) != 0) {
      RETURN_IF_ERROR(RenameFolder(absl::StrCat(folder_, "/", name), Path(step)));
      continue;
    }
    if (absl::StartsWith(name, kTemporaryPrefix)) {
      RETURN_IF_ERROR(RemoveFolder(absl::StrCat(folder_, "/", name)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckpointStore::Write(int64_t step, const Checkpoint& checkpoint,
                                    std::optional<double> score) {
  const absl::Status written = WriteNew(step, checkpoint, score);
  if (written.ok()) return Prune();
  const absl::StatusOr<std::vector<int64_t>> steps = Steps();
  return absl::Status(
      written.code(),
      absl::StrCat(written.message(), "; ",
                   steps.ok() && !steps->empty()
                       ? absl::StrCat("the last good checkpoint is ", Path(steps->back()))
                       : "there is no earlier checkpoint"));
}

absl::Status CheckpointStore::WriteNew(int64_t step, const Checkpoint& checkpoint,
                                       std::optional<double> score) {
  const std::string path = Path(step);
  const std::string temporary = absl::StrCat(folder_, "/", kTemporaryPrefix, step);
  // Not MakeFolder: a store whose folder was removed is an error, not a new store.
  if (mkdir(temporary.c_str(), 0755) != 0) return base::ErrnoError("create folder", temporary);
  const absl::Status written = [&]() -> absl::Status {
    const std::string state_file = absl::StrCat(temporary, "/", kStateFile);
    const std::string bytes = base::TensorFileBytes(checkpoint.state);
    RETURN_IF_ERROR(base::WriteFileAtomically(state_file, bytes));
    nlohmann::json json = {
        {"format", kFormat}, {"state_xxh3", Hash(bytes)}, {"description", checkpoint.description}};
    if (score.has_value()) json["score"] = *score;
    RETURN_IF_ERROR(base::WriteFileAtomically(absl::StrCat(temporary, "/", kDescriptionFile),
                                              json.dump(/*indent=*/1)));
    // Its place may be taken: a signal can come right after a checkpoint.
    const std::string replaced = absl::StrCat(folder_, "/", kReplaced, step);
    RETURN_IF_ERROR(ReplaceFolder(temporary, path, replaced));
    RETURN_IF_ERROR(base::SyncFolder(folder_));
    return RemoveFolder(replaced);
  }();
  if (!written.ok()) RemoveFolder(temporary).IgnoreError();
  return written;
}

absl::Status CheckpointStore::Prune() {
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps, Steps());
  std::set<int64_t> kept(steps.end() - std::min<size_t>(keep_, steps.size()), steps.end());
  if (const std::optional<int64_t> best = BestOf(steps)) kept.insert(*best);
  for (const int64_t step : steps) {
    if (kept.count(step) > 0) continue;
    // Renamed first: a half-removed checkpoint must not look like a damaged one.
    const std::string removed = absl::StrCat(folder_, "/", kTemporaryPrefix, "removed_", step);
    RETURN_IF_ERROR(RenameFolder(Path(step), removed));
    RETURN_IF_ERROR(RemoveFolder(removed));
  }
  return absl::OkStatus();
}

std::optional<int64_t> CheckpointStore::BestOf(const std::vector<int64_t>& steps) const {
  std::optional<std::pair<double, int64_t>> best;
  for (const int64_t step : steps) {
    const absl::StatusOr<nlohmann::json> json = ReadDescription(Path(step));
    if (!json.ok() || !json->contains("score") || !(*json)["score"].is_number()) continue;
    const double score = (*json)["score"];
    if (!best.has_value() || score > best->first) best = {score, step};
  }
  if (!best.has_value()) return std::nullopt;
  return best->second;
}

absl::StatusOr<std::string> CheckpointStore::SetLaterAside(int64_t step) {
  ASSIGN_OR_RETURN(std::vector<int64_t> steps, Steps());
  steps.erase(steps.begin(), std::upper_bound(steps.begin(), steps.end(), step));
  if (steps.empty()) return "";
  std::string aside;
  for (int i = 1; aside.empty() || access(aside.c_str(), F_OK) == 0; ++i) {
    aside = absl::StrCat(folder_, "/", kAside, i);
  }
  RETURN_IF_ERROR(base::MakeFolder(aside));
  for (const int64_t later : steps) {
    const std::string path = Path(later);
    RETURN_IF_ERROR(RenameFolder(path, absl::StrCat(aside, path.substr(folder_.size()))));
  }
  RETURN_IF_ERROR(base::SyncFolder(aside));
  RETURN_IF_ERROR(base::SyncFolder(folder_));
  return aside;
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointStore::ReadNewest() const {
  ASSIGN_OR_RETURN(std::vector<int64_t> steps, Steps());
  std::reverse(steps.begin(), steps.end());
  for (const int64_t step : steps) {
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(Path(step));
    if (checkpoint.ok()) return *std::move(checkpoint);
    LOG(WARNING) << "skipping checkpoint " << Path(step) << ": " << checkpoint.status().message();
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<Checkpoint>> CheckpointStore::ReadBest() const {
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps, Steps());
  const std::optional<int64_t> best = BestOf(steps);
  if (!best.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Checkpoint checkpoint, ReadCheckpoint(Path(*best)));
  return checkpoint;
}

absl::StatusOr<std::vector<int64_t>> CheckpointStore::Steps() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder_));
  std::vector<int64_t> steps;
  for (absl::string_view name : names) {
    int64_t step;
    if (absl::ConsumePrefix(&name, kStepPrefix) && absl::SimpleAtoi(name, &step)) {
      steps.push_back(step);
    }
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::string CheckpointStore::Path(int64_t step) const {
  return absl::StrCat(folder_, "/", kStepPrefix, absl::Dec(step, absl::kZeroPad9));
}

}  // namespace distributed
