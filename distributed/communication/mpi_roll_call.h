// Who has begun a collective: asked of every rank directly, beside the collectives' own messages.
//
// In a tree a rank waits for a peer that may itself wait for another. So a rank whose collective
// takes long asks every other one whether it has begun it. A rank answers as soon as it has: also
// one that is done with it and computes, since a thread of it attends; and one that still waits in
// an earlier collective says so. Those that do not answer are the missing ones: stopped, cut off,
// or not come to the collective. A rank that ends with an error answers no more; it tells all
// others, which end with that error too, and name the same ranks.
//
// MPI's rule holds here too: one thread at a time.
#ifndef DISTRIBUTED_COMMUNICATION_MPI_ROLL_CALL_H_
#define DISTRIBUTED_COMMUNICATION_MPI_ROLL_CALL_H_

#include <mpi.h>

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace distributed {

class RollCall {
 public:
  // Its messages have this tag, the last that MPI guarantees.
  static constexpr int kTag = 32767;

  // Of rank `rank` among `size`, whose collectives may take `timeout`.
  RollCall(int rank, int size, absl::Duration timeout);

  absl::Duration timeout() const { return timeout_; }

  // This rank begins collective `sequence`.
  void Begin(int64_t sequence);

  // To be called over and over while the collective is under way, and now and then between
  // collectives: answers the others; when the time of the collective is nearly over, asks them.
  void Attend(absl::Time now);

  // The first error that another rank has told: then no collective ends well.
  const absl::Status& told() const { return told_; }

  // Whether the collective has had its time, and the others time to answer.
  bool Overdue(absl::Time now) const {
    return under_way_ && looks_ >= kLeastLooks && now >= conclude_at_;
  }

  // The ranks that have not answered whether they have begun the collective; if all others have, or
  // wait themselves, those that wait in an earlier one.
  std::vector<int> Missing() const;

  // This rank has finished the collective.
  void End() { under_way_ = false; }

  // Tells all other ranks of the error with which this one ends. Takes a second if one of them does
  // not listen.
  void Tell(const absl::Status& error);

 private:
  // Of a rank that gets no turn on its processor, the time to answer passes without a look.
  static constexpr int kLeastLooks = 20;

  struct Sending {
    std::string bytes;
    MPI_Request request;
  };

  void Ask();
  // What can be said now to a rank that has asked.
  void Answer(int peer);
  void Send(int peer, int64_t kind, int64_t number, const std::string& text);
  void Take(int peer, const std::string& message);
  // Forgets messages that have been sent; whether all have.
  bool AllSent();

  const int rank_, size_;
  const absl::Duration timeout_;
  const absl::Duration time_to_answer_;
  int64_t begun_ = -1;  // The last collective begun here.
  bool under_way_ = false;
  bool asked_ = false;  // In this collective.
  int looks_ = 0;       // For answers, since.
  absl::Time ask_at_, conclude_at_, attend_at_;
  int answers_due_ = 0;
  std::vector<int64_t> asked_by_;      // By rank: the collective that it waits to hear of, or -1.
  std::vector<int64_t> known_begun_;   // By rank: the last collective that it said it had begun.
  std::vector<int64_t> known_before_;  // By rank: the last one before which it said it waited.
  absl::Status told_;
  std::list<Sending> sending_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_MPI_ROLL_CALL_H_
