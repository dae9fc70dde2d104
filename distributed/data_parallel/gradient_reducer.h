// Averages gradients over ranks while the backward pass still runs.
//
//   GradientReducer reducer(&communicator, parameters, {});
//   for (each micro-batch but the last) loss.backward();       // accumulates locally
//   reducer.Start();
//   last_loss.backward();                  // a bucket that is full travels at once
//   RETURN_IF_ERROR(reducer.Finish());     // every rank's .grad holds the mean, bit for bit the
//   same torch::nn::utils::clip_grad_norm_(parameters, 5);   // hence the same norm on every rank
//
// Parameters are put into buckets in the order in which their gradients become ready, observed in
// the first backward pass on rank 0; buckets are reduced in that order by every rank.
//
// Why not c10d::Reducer, which LibTorch ships: it wants a c10d::Backend, a ProcessGroup and a Store
// around the communicator, its constructor is internal and changes with every release, its errors
// name no rank, and a parameter that no rank used comes out with a gradient of zeros, so that
// momentum and weight decay move it on N ranks and leave it alone on one.
#ifndef DISTRIBUTED_DATA_PARALLEL_GRADIENT_REDUCER_H_
#define DISTRIBUTED_DATA_PARALLEL_GRADIENT_REDUCER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "distributed/communication/communicator.h"

namespace distributed {

struct GradientReducerOptions {
  // A bucket is closed by the gradient that makes it this large. 0: every gradient alone.
  int64_t bucket_bytes = 8 << 20;
};

class GradientReducer {
 public:
  // Hooks itself to `parameters` (leaves that require gradients, in the same order on every rank).
  // The communicator must outlive the reducer.
  GradientReducer(Communicator* communicator, std::vector<at::Tensor> parameters,
                  const GradientReducerOptions& options);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  // The next backward pass completes the gradients: reduce each bucket once it is full.
  void Start();

  // Replaces every parameter's .grad by its mean over the ranks. A parameter without a gradient
  // here counts as zero; one without a gradient on every rank keeps none.
  absl::Status Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Replaces `gradients` by their means over the ranks, for gradients that autograd::grad returned.
// Undefined ones count as zero and stay undefined if they are so on every rank; then `like` gives
// the shape of each.
absl::Status ReduceGradients(Communicator& communicator, absl::Span<const at::Tensor> like,
                             absl::Span<at::Tensor> gradients);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_GRADIENT_REDUCER_H_
