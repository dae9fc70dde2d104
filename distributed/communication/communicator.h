// How the ranks of a job exchange tensors.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Communicator> communicator, CreateCommunicator({}));
//   RETURN_IF_ERROR(communicator->AllReduce(gradient, ReduceOp::kMean));
//
// Every rank calls the same collectives in the same order, with tensors of the same dtype and size
// on the same kind of device. Every call ends within the communicator's timeout: an error names
// this rank, the ranks and hosts it waited for, the collective and its sequence number. After an
// error the communicator stays unusable and repeats that error, since the ranks no longer agree on
// which collective is next.
//
// A reduction gives identical bits on every rank: floating-point terms are added in one order.
#ifndef DISTRIBUTED_COMMUNICATION_COMMUNICATOR_H_
#define DISTRIBUTED_COMMUNICATION_COMMUNICATOR_H_

#include <memory>
#include <string>
#include <utility>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace distributed {

enum class ReduceOp { kSum, kMean };

// Where a process stands in its job.
struct Place {
  int rank = 0;
  int size = 1;
  int local_rank = 0;  // Among the ranks of the same host, in order of rank.
  std::string host;
};

// A collective under way.
class Work {
 public:
  virtual ~Work() = default;

  // Returns when the tensor holds the result; for a CUDA tensor, when the current stream has been
  // told to wait for it.
  virtual absl::Status Wait() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  const Place& place() const { return place_; }
  int rank() const { return place_.rank; }
  int size() const { return place_.size; }

  // Starts to replace `tensor` on every rank by the sum or the mean over the ranks. The tensor is
  // contiguous, of float32, float64 or int64 (kMean: floating point only), and is not touched
  // before Wait() returned. A reduction whose handle is dropped still takes place.
  virtual std::unique_ptr<Work> AllReduceAsync(at::Tensor tensor, ReduceOp op) = 0;
  virtual absl::Status AllReduce(const at::Tensor& tensor, ReduceOp op) {
    return AllReduceAsync(tensor, op)->Wait();
  }

  // Replaces `tensor` (contiguous, any dtype) on every rank by the one of rank `root`.
  virtual absl::Status Broadcast(const at::Tensor& tensor, int root) = 0;

  // Every rank's `tensor` (contiguous, any dtype), stacked in order of rank: [size, ...].
  virtual absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) = 0;

  // Returns when every rank has called it and the collectives begun before are over, with the first
  // error of theirs: one of CUDA tensors may fail long after its Wait(). What must not rest on a
  // failed collective, such as a checkpoint, is written after a barrier.
  virtual absl::Status Barrier() = 0;

  // Tells the communicator that this rank ends with an error of its own: its destructor then does
  // not wait for the other ranks, and the launcher ends them when this process exits.
  virtual void Abandon() = 0;

 protected:
  explicit Communicator(Place place) : place_(std::move(place)) {}

  Place place_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_COMMUNICATOR_H_
