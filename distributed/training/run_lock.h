// One run at a time in a folder, also on a filesystem that several machines share.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<RunLock> lock, RunLock::Acquire("runs/search", host, {}));
//   ...
//   RETURN_IF_ERROR(lock->Check());   // before anything is written
//
// Locks of the operating system are not to be trusted on shared filesystems, so the lock is a file,
// run.lock, which a hard link brings into being at once with its content: host, process and a count
// that a thread of the holder raises again and again. What a holder that was killed has left is
// taken over: at once where this machine can see that its process is gone, elsewhere once the
// count has stood still for a while. Clocks of different machines are never compared.
#ifndef DISTRIBUTED_TRAINING_RUN_LOCK_H_
#define DISTRIBUTED_TRAINING_RUN_LOCK_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace distributed {

class RunLock {
 public:
  struct Timing {
    absl::Duration beat = absl::Seconds(10);  // The count is raised so often.
    // A count that stands still so long is that of a holder that is no more. Many beats: shared
    // filesystems can stall.
    absl::Duration stale_after = absl::Minutes(2);
  };

  static constexpr char kFile[] = "run.lock";

  // Locks `folder`, which exists, for this process on `host` (a name for people).
  // FailedPrecondition, naming the holder, if another one has it. Where the holder is or was on
  // another machine, the call takes up to `stale_after`.
  static absl::StatusOr<std::unique_ptr<RunLock>> Acquire(const std::string& folder,
                                                          const std::string& host,
                                                          const Timing& timing);

  // Removes the lock, unless another process has taken it over.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // OK while the lock is this process's. Aborted, naming the other one, once it was taken over, as
  // from a process that was stopped for longer than `stale_after`.
  absl::Status Check();

  // What Check() said last, of which the thread that raises the count is the last to ask; reads
  // nothing.
  absl::Status LastCheck();

 private:
  RunLock(std::string path, std::string token, std::string content, const Timing& timing);

  void BeatUntilReleased();
  void Beat(int64_t count);

  const std::string path_;
  const std::string token_;  // Of this lock alone.
  const std::string content_;
  const Timing timing_;

  // Not absl::Mutex: the thread sanitizer does not see into the prebuilt library.
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  bool released_ = false;
  absl::Status lost_;
  std::thread thread_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_LOCK_H_
