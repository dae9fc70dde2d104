// Gradients of one dtype and device that are averaged over ranks as one tensor.
#ifndef DISTRIBUTED_DATA_PARALLEL_GRADIENT_BUCKET_H_
#define DISTRIBUTED_DATA_PARALLEL_GRADIENT_BUCKET_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "distributed/communication/communicator.h"

namespace distributed {

// The gradients of some parameters, each in a slot of its own. A slot is zero until it is filled,
// and after a reduction its gradient is undefined if no rank had filled it.
class GradientBucket {
 public:
  // Slots for gradients shaped as `parameters`, which have one dtype and one device.
  explicit GradientBucket(absl::Span<const at::Tensor> parameters);

  int slots() const { return static_cast<int>(sizes_.size()); }

  // Puts a gradient (undefined: none) into `slot`; once per slot and reduction.
  void Fill(int slot, const at::Tensor& gradient);

  void StartReduction(Communicator& communicator);

  // The means over the ranks, as views that live until the next reduction, or undefined. Empties
  // the bucket.
  absl::Status FinishReduction(std::vector<at::Tensor>& gradients);

 private:
  // One tensor carries the gradients and, behind them, a mark per slot: 1 if it is filled. The mean
  // of the marks says whether any rank filled it.
  at::Tensor Marks() const;

  std::vector<std::vector<int64_t>> sizes_;
  std::vector<int64_t> offsets_;  // Of each slot, and of the marks.
  at::Tensor flat_;
  std::unique_ptr<Work> work_;
};

// `parameters` cut into runs of one bucket each, by index: in order, a bucket per dtype and device
// being closed by the parameter that makes it `bucket_bytes` large.
std::vector<std::vector<int>> AssignBuckets(absl::Span<const at::Tensor> parameters,
                                            absl::Span<const int> order, int64_t bucket_bytes);

}  // namespace distributed

#endif  // DISTRIBUTED_DATA_PARALLEL_GRADIENT_BUCKET_H_
