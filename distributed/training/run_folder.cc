#include "distributed/training/run_folder.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "distributed/training/event_file.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

namespace fs = std::filesystem;

constexpr char kConfigFile[] = "config.json";
constexpr char kCheckpoints[] = "checkpoints";

// What a run writes about itself, and a resumed one goes on with.
bool IsRecord(const std::string& name) {
  static const auto* records =
      new std::set<std::string>{kConfigFile, "log.txt", "metrics.jsonl", "bad_samples.jsonl"};
  // Hidden files are those of shells and filesystems.
  return records->count(name) > 0 || absl::StartsWith(name, RunLock::kFile) ||
         absl::StartsWith(name, EventFile::kPrefix) || absl::StartsWith(name, ".");
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Whether a run has begun in the folder at `path`, which holds `names`. FailedPrecondition if
// something else stands there.
absl::StatusOr<bool> HasRun(const std::string& path, const std::vector<std::string>& names) {
  const auto stranger = std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return !absl::StartsWith(name, RunLock::kFile) && !absl::StartsWith(name, ".");
  });
  if (stranger == names.end()) return false;
  const std::string config = absl::StrCat(path, "/", kConfigFile);
  const absl::StatusOr<std::string> text = base::ReadFile(config);
  if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
  if (!text.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is no run folder: it has no ",
                                                      kConfigFile, ", but holds ", *stranger,
                                                      ": choose another folder"));
  }
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("settings") || !json.contains("identity")) {
    return absl::FailedPreconditionError(absl::StrCat(
        config, " is not that of a run: choose another folder, which nobody else writes to"));
  }
  return true;
}

}  // namespace

std::string CheckpointsFolder(const std::string& run_folder) {
  return absl::StrCat(run_folder, "/", kCheckpoints);
}

absl::StatusOr<RunFolder::Contents> RunFolder::Look(const std::string& path) {
  const std::vector<std::string> names = NamesIn(path);
  Contents contents;
  ASSIGN_OR_RETURN(contents.has_run, HasRun(path, names));
  for (const std::string& name : names) {
    if (name == kCheckpoints) {
      for (const std::string& checkpoint : NamesIn(CheckpointsFolder(path))) {
        if (absl::StartsWith(checkpoint, ".")) continue;
        contents.results.push_back(absl::StrCat(name, "/", checkpoint));
        contents.has_checkpoints = true;
      }
    } else if (!IsRecord(name)) {
      contents.results.push_back(name);
    }
  }
  return contents;
}

absl::StatusOr<std::unique_ptr<RunFolder>> RunFolder::Open(const std::string& path,
                                                           const std::string& host,
                                                           const RunLock::Timing& timing) {
  auto folder = absl::WrapUnique(new RunFolder(path));
  RETURN_IF_ERROR(folder->Make());
  // Before the lock: nothing is written into somebody else's folder.
  RETURN_IF_ERROR(Look(path).status());
  ASSIGN_OR_RETURN(folder->lock_, RunLock::Acquire(path, host, timing));
  // The holder before may have written something.
  ASSIGN_OR_RETURN(const Contents contents, Look(path));
  folder->has_run_ = contents.has_run;
  return folder;
}

RunFolder::~RunFolder() {
  const bool locked = lock_ != nullptr;
  lock_.reset();
  std::error_code ignored;
  // What is in the run folder itself is this start's.
  if (locked && !made_.empty()) fs::remove_all(path_, ignored);
  std::reverse(made_.begin(), made_.end());
  for (const std::string& path : made_) fs::remove(path, ignored);
}

absl::Status RunFolder::Make() {
  std::error_code ignored;
  std::vector<std::string> missing;
  for (fs::path path = path_; !path.empty() && !fs::exists(path, ignored);
       path = path.parent_path()) {
    if (path.has_filename()) missing.push_back(path);  // "a/b/" has a folder "" in it.
    if (path == path.parent_path()) break;
  }
  std::reverse(missing.begin(), missing.end());
  made_ = std::move(missing);
  return base::MakeFolder(path_);
}

}  // namespace distributed
