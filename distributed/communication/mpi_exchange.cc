#include "distributed/communication/mpi_exchange.h"

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"

namespace distributed {
namespace {

// How a rank waits. If a thread waits for the messages, they are mostly under way: at first it only
// offers its time slice. Otherwise it sleeps, and leaves the processor to what computes.
class Backoff {
 public:
  Backoff(const std::atomic<int>& waiting, int64_t bytes)
      : waiting_(waiting), yields_(1000 + bytes / 1024) {}

  void Pause() {
    if (waiting_ > 0 && yields_ > 0) {
      --yields_;
      sched_yield();
    } else {
      absl::SleepFor(sleep_);
      sleep_ = std::min(sleep_ * 1.5, absl::Microseconds(100));
    }
  }

 private:
  const std::atomic<int>& waiting_;
  int64_t yields_;  // Left. One takes a microsecond, and as long as MPI to copy a kilobyte.
  absl::Duration sleep_ = absl::Microseconds(10);
};

std::string MpiErrorText(int error) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(error, text, &length);
  return std::string(text, length);
}

class PendingMessages {
 public:
  PendingMessages(const std::vector<Message>& sends, const std::vector<Message>& receives,
                  const ExchangeOptions& options)
      : options_(options), receives_(receives.size()) {
    messages_ = receives;
    messages_.insert(messages_.end(), sends.begin(), sends.end());
    requests_.resize(messages_.size(), MPI_REQUEST_NULL);
    statuses_.resize(messages_.size());
    finished_.resize(messages_.size());
    pending_ = static_cast<int>(messages_.size());
  }

  absl::Status Start() {
    for (size_t i = 0; i < messages_.size(); ++i) {
      const Message& message = messages_[i];
      if (message.bytes > std::numeric_limits<int>::max()) {
        return absl::InvalidArgumentError(
            absl::StrCat("a message of ", message.bytes, " bytes: at most 2 GiB can be sent"));
      }
      const int bytes = static_cast<int>(message.bytes);
      const int error = i < receives_ ? MPI_Irecv(message.data, bytes, MPI_BYTE, message.peer,
                                                  options_.tag, MPI_COMM_WORLD, &requests_[i])
                                      : MPI_Isend(message.data, bytes, MPI_BYTE, message.peer,
                                                  options_.tag, MPI_COMM_WORLD, &requests_[i]);
      if (error != MPI_SUCCESS) return ConnectionError(i, error);
    }
    return absl::OkStatus();
  }

  bool done() const { return pending_ == 0; }

  int64_t bytes() const {
    int64_t bytes = 0;
    for (const Message& message : messages_) bytes += message.bytes;
    return bytes;
  }

  // Takes note of the messages that have been sent or received since.
  absl::Status Poll() {
    int count = 0;
    const int error = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count,
                                   finished_.data(), statuses_.data());
    if (error != MPI_SUCCESS && error != MPI_ERR_IN_STATUS) return ConnectionError(0, error);
    pending_ -= count;
    for (int i = 0; i < count; ++i) {
      const int index = finished_[i];
      const int message_error = error == MPI_ERR_IN_STATUS ? statuses_[i].MPI_ERROR : MPI_SUCCESS;
      int error_class = MPI_SUCCESS;
      MPI_Error_class(message_error, &error_class);
      if (error_class != MPI_SUCCESS && error_class != MPI_ERR_TRUNCATE) {
        return ConnectionError(index, message_error);
      }
      if (index >= receives_) continue;
      int bytes = 0;
      MPI_Get_count(&statuses_[i], MPI_BYTE, &bytes);
      if (error_class == MPI_ERR_TRUNCATE || bytes != messages_[index].bytes) {
        return absl::FailedPreconditionError(absl::StrCat(
            options_.describe_rank(messages_[index].peer), " sent a message of another size than ",
            messages_[index].bytes, " bytes: the ranks do not run the same program"));
      }
    }
    return absl::OkStatus();
  }

  // Once the collective has had its time.
  absl::Status Overdue() const {
    const std::string timeout = absl::FormatDuration(options_.roll_call->timeout());
    const std::vector<int> missing = options_.roll_call->Missing();
    if (!missing.empty()) {
      return absl::DeadlineExceededError(
          absl::StrCat("nothing from ", Describe(missing), " for ", timeout));
    }
    std::set<int> peers;
    for (size_t i = 0; i < messages_.size(); ++i) {
      if (requests_[i] != MPI_REQUEST_NULL) peers.insert(messages_[i].peer);
    }
    return absl::DeadlineExceededError(
        absl::StrCat("no message from or to ", Describe(peers), " for ", timeout,
                     ", although every rank is there: it is too slow, or the ranks do not run the "
                     "same program"));
  }

 private:
  template <typename Ranks>
  std::string Describe(const Ranks& ranks) const {
    return absl::StrJoin(ranks, ", ", [this](std::string* out, int rank) {
      absl::StrAppend(out, options_.describe_rank(rank));
    });
  }

  absl::Status ConnectionError(size_t index, int error) const {
    return absl::UnavailableError(absl::StrCat(
        "lost ", options_.describe_rank(messages_[index].peer), ": ", MpiErrorText(error)));
  }

  const ExchangeOptions& options_;
  const int receives_;             // The first so many messages are received, the others sent.
  int pending_ = 0;                // Messages still under way.
  std::vector<Message> messages_;  // The arrays below have an entry for each.
  std::vector<MPI_Request> requests_;
  std::vector<MPI_Status> statuses_;
  std::vector<int> finished_;
};

absl::Status RunExchange(PendingMessages& pending, const ExchangeOptions& options) {
  RETURN_IF_ERROR(pending.Start());
  Backoff backoff(*options.waiting, pending.bytes());
  while (!pending.done()) {
    RETURN_IF_ERROR(pending.Poll());
    if (pending.done()) break;
    const absl::Time now = absl::Now();
    options.roll_call->Attend(now);
    if (!options.roll_call->told().ok()) return options.roll_call->told();
    if (options.roll_call->Overdue(now)) return pending.Overdue();
    backoff.Pause();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Exchange(const std::vector<Message>& sends, const std::vector<Message>& receives,
                      const ExchangeOptions& options) {
  PendingMessages pending(sends, receives, options);
  absl::Status status = RunExchange(pending, options);
  // While the buffers are there: MPI may still fill them.
  if (!status.ok() && options.roll_call->told().ok()) options.roll_call->Tell(status);
  return status;
}

}  // namespace distributed
