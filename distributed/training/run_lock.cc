#include "distributed/training/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

std::string FirstLine(const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadFile(path);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "";
}

// A kernel that runs and a numbering of processes on it: a process id means the same in both
// processes only if these are the same. "" if it cannot be told.
std::string ProcessNumbering() {
  const std::string boot = FirstLine("/proc/sys/kernel/random/boot_id");
  char name[64];
  const ssize_t size = readlink("/proc/self/ns/pid", name, sizeof(name));
  return boot.empty() || size <= 0 ? "" : absl::StrCat(boot, " ", absl::string_view(name, size));
}

// When process `pid` started, in the kernel's ticks; "" if there is none, or a dead one. A process
// id is used again, the pair is not.
std::string StartOfProcess(int64_t pid) {
  const std::string stat = FirstLine(absl::StrCat("/proc/", pid, "/stat"));
  const size_t name_end = stat.rfind(')');  // The name before it may hold anything.
  if (name_end == std::string::npos) return "";
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  constexpr size_t kState = 0, kStart = 19;  // Fields 3 and 22 of proc(5).
  if (fields.size() <= kStart || fields[kState] == "Z" || fields[kState] == "X") return "";
  return fields[kStart];
}

std::string NewToken() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

// Without its count, which follows as ten digits, so that it is raised in place.
std::string NewContent(const std::string& host, const std::string& token) {
  const nlohmann::json json = {{"host", host},
                               {"pid", getpid()},
                               {"start", StartOfProcess(getpid())},
                               {"processes", ProcessNumbering()},
                               {"token", token}};
  return absl::StrCat(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), "\n");
}

std::string WithCount(const std::string& content, int64_t count) {
  return absl::StrCat(content, absl::Dec(count, absl::kZeroPad10), "\n");
}

// Who holds a lock, of its file's text; empty if that makes no sense.
nlohmann::json Holder(const std::string& text) {
  nlohmann::json json = nlohmann::json::parse(text.substr(0, text.find('\n')), nullptr, false);
  const auto is_string = [&](const char* key) {
    return json.contains(key) && json[key].is_string();
  };
  const bool whole = json.is_object() && is_string("host") && is_string("token") &&
                     is_string("start") && is_string("processes") && json.contains("pid") &&
                     json["pid"].is_number_integer();
  return whole ? json : nlohmann::json();
}

std::string TokenOf(const std::string& text) {
  const nlohmann::json holder = Holder(text);
  return holder.is_null() ? "" : holder["token"].get<std::string>();
}

std::string Name(const std::string& text) {
  const nlohmann::json holder = Holder(text);
  if (holder.is_null()) return "an unknown process";
  return absl::StrCat("process ", holder["pid"].dump(), " on ", holder["host"].get<std::string>());
}

enum class Life { kRuns, kGone, kUnknown };

Life LifeOf(const std::string& text) {
  const nlohmann::json holder = Holder(text);
  if (holder.is_null() || holder["processes"] == "" || holder["processes"] != ProcessNumbering()) {
    return Life::kUnknown;
  }
  return StartOfProcess(holder["pid"]) == holder["start"] ? Life::kRuns : Life::kGone;
}

absl::Status CreateWith(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return base::ErrnoError("create", path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return base::ErrnoError("write", path);
  }
  return absl::OkStatus();
}

// Makes the file `own`, which is complete, be `path` as well. AlreadyExists if there is one.
absl::Status Publish(const std::string& own, const std::string& text, const std::string& path) {
  if (link(own.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  // Over NFS the answer can get lost, and the question be asked twice.
  struct stat status;
  if (stat(own.c_str(), &status) == 0 && status.st_nlink == 2) return absl::OkStatus();
  if (error == EEXIST) return absl::AlreadyExistsError(path);
  // A filesystem without hard links.
  if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS) return CreateWith(path, text);
  errno = error;
  return base::ErrnoError("create", path);
}

// Removes the lock with this text, whose holder is no more. Somebody else may be doing the same,
// and hold the lock already: then it is put back.
absl::Status RemoveLeftOver(const std::string& path, const std::string& text,
                            const std::string& own) {
  const std::string away = absl::StrCat(own, ".left_over");
  if (rename(path.c_str(), away.c_str()) != 0) {
    return errno == ENOENT ? absl::OkStatus() : base::ErrnoError("rename", path);
  }
  const absl::StatusOr<std::string> taken = base::ReadFile(away);
  if (taken.ok() && TokenOf(*taken) != TokenOf(text)) Publish(away, *taken, path).IgnoreError();
  if (unlink(away.c_str()) != 0) return base::ErrnoError("remove", away);
  return absl::OkStatus();
}

// Watches one holder whose process this machine cannot see.
class Watch {
 public:
  // Whether the count has been raised since the last call.
  bool Beats(const std::string& text) {
    if (text == text_) return false;
    const bool beats = !text_.empty() && TokenOf(text) == TokenOf(text_);
    text_ = text;
    since_ = absl::Now();
    return beats;
  }
  absl::Duration still() const { return absl::Now() - since_; }

 private:
  std::string text_;
  absl::Time since_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RunLock>> RunLock::Acquire(const std::string& folder,
                                                          const std::string& host,
                                                          const Timing& timing) {
  const std::string path = absl::StrCat(folder, "/", kFile);
  const std::string token = NewToken();
  const std::string content = NewContent(host, token), text = WithCount(content, 0);
  const std::string own = absl::StrCat(path, ".", token);
  RETURN_IF_ERROR(CreateWith(own, text));
  const absl::Cleanup remove_own = [&own] { unlink(own.c_str()); };
  const auto in_use = [&folder](const std::string& other) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, ": a run goes on here, of ", Name(other),
                     ": wait for its end, or choose another folder"));
  };
  Watch watch;
  while (true) {
    const absl::Status published = Publish(own, text, path);
    if (published.ok()) break;
    if (!absl::IsAlreadyExists(published)) return published;
    const absl::StatusOr<std::string> other = base::ReadFile(path);
    if (absl::IsNotFound(other.status())) continue;
    RETURN_IF_ERROR(other.status());
    const Life life = LifeOf(*other);
    if (life == Life::kRuns || watch.Beats(*other)) return in_use(*other);
    if (life == Life::kGone || watch.still() >= timing.stale_after) {
      LOG(WARNING) << folder << ": taking over from " << Name(*other) << ", which runs no more";
      RETURN_IF_ERROR(RemoveLeftOver(path, *other, own));
      continue;
    }
    absl::SleepFor(std::min(timing.beat / 2, absl::Seconds(1)));
  }
  return absl::WrapUnique(new RunLock(path, token, content, timing));
}

RunLock::RunLock(std::string path, std::string token, std::string content, const Timing& timing)
    : path_(std::move(path)),
      token_(std::move(token)),
      content_(std::move(content)),
      timing_(timing),
      thread_([this] { BeatUntilReleased(); }) {}

RunLock::~RunLock() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
  thread_.join();
  const absl::StatusOr<std::string> text = base::ReadFile(path_);
  if (text.ok() && TokenOf(*text) == token_) unlink(path_.c_str());
}

absl::Status RunLock::Check() {
  const absl::StatusOr<std::string> text = base::ReadFile(path_);
  const std::lock_guard lock(mutex_);
  // One that cannot be read tells nothing: whoever writes will find out about the folder.
  if (lost_.ok() && text.ok() && TokenOf(*text) != token_) {
    lost_ = absl::AbortedError(absl::StrCat(path_, ": ", Name(*text),
                                            " took the run over, since this process stood still"));
  }
  return lost_;
}

absl::Status RunLock::LastCheck() {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void RunLock::BeatUntilReleased() {
  std::unique_lock lock(mutex_);
  for (int64_t count = 1;; ++count) {
    if (changed_.wait_for(lock, absl::ToChronoNanoseconds(timing_.beat),
                          [this] { return released_; })) {
      return;
    }
    lock.unlock();
    Beat(count);
    lock.lock();
  }
}

void RunLock::Beat(int64_t count) {
  const std::string text = WithCount(content_, count);
  const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    // Removed by hand: the run still goes on.
    if (errno == ENOENT) CreateWith(path_, text).IgnoreError();
    return;
  }
  const absl::Cleanup close_fd = [fd] { close(fd); };
  // The file that is checked is the one that is written, whatever is renamed meanwhile.
  std::string found(text.size(), '\0');
  const ssize_t size = pread(fd, found.data(), found.size(), 0);
  if (size <= 0 || TokenOf(found.substr(0, size)) != token_) {
    Check().IgnoreError();
    return;
  }
  // A beat that is lost is made good by the next.
  if (pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) fsync(fd);
}

}  // namespace distributed
