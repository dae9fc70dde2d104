#include "distributed/data_parallel/global_range.h"

#include <limits>

#include "ATen/ops/amax.h"
#include "ATen/ops/amin.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/stack.h"
#include "absl/status/statusor.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/status_exception.h"

namespace distributed {

at::Tensor GlobalRange(Communicator& communicator, const at::Tensor& x) {
  const c10::NoGradGuard no_grad;
  at::Tensor range = at::empty({2, x.size(1), 1, 1}, x.options());
  if (x.size(0) > 0) {
    range[0].copy_(at::amin(x, {0, 2, 3}).view({-1, 1, 1}));
    range[1].copy_(at::amax(x, {0, 2, 3}).view({-1, 1, 1}));
  } else {
    range[0].fill_(std::numeric_limits<double>::infinity());
    range[1].fill_(-std::numeric_limits<double>::infinity());
  }
  return JoinRanges(communicator, range);
}

at::Tensor JoinRanges(Communicator& communicator, const at::Tensor& range) {
  absl::StatusOr<at::Tensor> ranges = communicator.AllGather(range);
  ThrowIfError(ranges.status());
  return at::stack({ranges->select(1, 0).amin(0), ranges->select(1, 1).amax(0)});
}

}  // namespace distributed
