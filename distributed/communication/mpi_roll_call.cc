#include "distributed/communication/mpi_roll_call.h"

#include <string.h>

#include <algorithm>
#include <iterator>

#include "absl/time/clock.h"

namespace distributed {
namespace {

constexpr absl::Duration kAttendInterval = absl::Milliseconds(10);
constexpr absl::Duration kMostTimeToAnswer = absl::Seconds(10);
constexpr absl::Duration kTimeToTell = absl::Seconds(1);
constexpr size_t kMostText = 2000;  // MPI sends so much whether or not the other side listens.

// What a message says; the number after it is a collective's, or an error's code.
enum Kind : int64_t { kHaveYouBegun, kHaveBegun, kWaitBefore, kError };

struct Header {
  int64_t kind;
  int64_t number;
};

}  // namespace

RollCall::RollCall(int rank, int size, absl::Duration timeout)
    : rank_(rank),
      size_(size),
      timeout_(timeout),
      time_to_answer_(std::min(timeout / 2, kMostTimeToAnswer)),
      asked_by_(size, -1),
      known_begun_(size, -1),
      known_before_(size, -1) {}

void RollCall::Begin(int64_t sequence) {
  begun_ = std::max(begun_, sequence);
  under_way_ = true;
  asked_ = false;
  looks_ = 0;
  ask_at_ = absl::Now() + timeout_ - time_to_answer_;
  conclude_at_ = absl::InfiniteFuture();
  for (int peer = 0; peer < size_ && answers_due_ > 0; ++peer) {
    if (asked_by_[peer] >= 0) Answer(peer);
  }
}

void RollCall::Attend(absl::Time now) {
  if (now < attend_at_) return;
  attend_at_ = now + kAttendInterval;
  int arrived = 0;
  MPI_Status status;
  while (MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &status) == MPI_SUCCESS &&
         arrived) {
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    std::string message(bytes, '\0');
    if (MPI_Recv(message.data(), bytes, MPI_BYTE, status.MPI_SOURCE, kTag, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE) == MPI_SUCCESS) {
      Take(status.MPI_SOURCE, message);
    }
  }
  AllSent();
  if (asked_) ++looks_;
  if (under_way_ && !asked_ && now >= ask_at_) {
    Ask();
    // Of a process that was stopped itself, the time may long be over.
    conclude_at_ = std::max(ask_at_, now) + time_to_answer_;
  }
}

std::vector<int> RollCall::Missing() const {
  std::vector<int> missing, behind;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_ || known_begun_[peer] >= begun_) continue;
    (known_before_[peer] < begun_ ? missing : behind).push_back(peer);
  }
  return missing.empty() ? behind : missing;
}

void RollCall::Tell(const absl::Status& error) {
  for (int peer = 0; peer < size_; ++peer) {
    if (peer != rank_) {
      Send(peer, kError, error.raw_code(), std::string(error.message().substr(0, kMostText)));
    }
  }
  const absl::Time deadline = absl::Now() + kTimeToTell;
  while (!AllSent() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
}

void RollCall::Ask() {
  asked_ = true;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer != rank_ && known_begun_[peer] < begun_) Send(peer, kHaveYouBegun, begun_, "");
  }
}

void RollCall::Answer(int peer) {
  if (asked_by_[peer] <= begun_) {
    Send(peer, kHaveBegun, asked_by_[peer], "");
    asked_by_[peer] = -1;
    --answers_due_;
  } else if (under_way_) {
    Send(peer, kWaitBefore, asked_by_[peer], "");
  }
}

void RollCall::Send(int peer, int64_t kind, int64_t number, const std::string& text) {
  const Header header = {kind, number};
  Sending& sending = sending_.emplace_back();
  sending.bytes.assign(reinterpret_cast<const char*>(&header), sizeof(header));
  sending.bytes += text;
  if (MPI_Isend(sending.bytes.data(), static_cast<int>(sending.bytes.size()), MPI_BYTE, peer, kTag,
                MPI_COMM_WORLD, &sending.request) != MPI_SUCCESS) {
    sending_.pop_back();  // Whoever cannot be reached does not answer.
  }
}

void RollCall::Take(int peer, const std::string& message) {
  Header header;
  if (message.size() < sizeof(header)) return;
  memcpy(&header, message.data(), sizeof(header));
  switch (header.kind) {
    case kHaveYouBegun:
      known_begun_[peer] = std::max(known_begun_[peer], header.number);
      if (asked_by_[peer] < 0) ++answers_due_;
      asked_by_[peer] = header.number;
      Answer(peer);
      break;
    case kHaveBegun:
      known_begun_[peer] = std::max(known_begun_[peer], header.number);
      break;
    case kWaitBefore:
      known_before_[peer] = std::max(known_before_[peer], header.number);
      break;
    case kError:
      if (told_.ok()) {
        told_ = absl::Status(static_cast<absl::StatusCode>(header.number),
                             message.substr(sizeof(header)));
      }
      break;
  }
}

bool RollCall::AllSent() {
  for (auto sending = sending_.begin(); sending != sending_.end();) {
    int sent = 0;
    const bool failed = MPI_Test(&sending->request, &sent, MPI_STATUS_IGNORE) != MPI_SUCCESS;
    sending = sent || failed ? sending_.erase(sending) : std::next(sending);
  }
  return sending_.empty();
}

}  // namespace distributed
