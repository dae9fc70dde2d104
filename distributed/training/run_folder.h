// Rank 0's hold of a run folder: whose it is, and that a start that is refused leaves no trace.
#ifndef DISTRIBUTED_TRAINING_RUN_FOLDER_H_
#define DISTRIBUTED_TRAINING_RUN_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/training/run_lock.h"

namespace distributed {

// Where the checkpoints of the run in `run_folder` are.
std::string CheckpointsFolder(const std::string& run_folder);

class RunFolder {
 public:
  struct Contents {
    bool has_run = false;  // One has begun in it before.
    bool has_checkpoints = false;
    // What a new run would lose or mix with its own: the names of results and checkpoints.
    std::vector<std::string> results;
  };

  // What is in `path`; nothing if there is no such folder. FailedPrecondition, naming what speaks
  // against it, if it is neither empty nor that of a run.
  static absl::StatusOr<Contents> Look(const std::string& path);

  // Makes `path` if it is not there, and locks it (run_lock.h) as a process on `host`.
  // FailedPrecondition as from Look(), or if the folder is another process's.
  static absl::StatusOr<std::unique_ptr<RunFolder>> Open(const std::string& path,
                                                         const std::string& host,
                                                         const RunLock::Timing& timing);

  // Unlocks the folder and, unless Keep() was called, removes what Open() made.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Whether a run has begun in it before.
  bool has_run() const { return has_run_; }

  // The run begins.
  void Keep() { made_.clear(); }

  // As RunLock's.
  absl::Status Check() { return lock_->Check(); }
  absl::Status LastCheck() { return lock_->LastCheck(); }

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}

  absl::Status Make();

  const std::string path_;
  std::vector<std::string> made_;  // The folders that Open() made, outermost first.
  bool has_run_ = false;
  std::unique_ptr<RunLock> lock_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_FOLDER_H_
