#include "nas/fused/tasks.h"

#include "ATen/ops/from_blob.h"
#include "distributed/communication/status_exception.h"
#include "distributed/data_parallel/global_range.h"

namespace nas::fused {

std::vector<double> AddTasks(const std::vector<double>& partial, int64_t tasks, int64_t width) {
  std::vector<double> sums(width);
  for (int64_t task = 0; task < tasks; ++task) {
    for (int64_t i = 0; i < width; ++i) sums[i] += partial[task * width + i];
  }
  return sums;
}

void SumOverRanks(distributed::Communicator* communicator, std::vector<double>& sums) {
  if (communicator == nullptr || sums.empty()) return;
  const at::Tensor tensor =
      at::from_blob(sums.data(), {static_cast<int64_t>(sums.size())}, at::kDouble);
  distributed::ThrowIfError(communicator->AllReduce(tensor, distributed::ReduceOp::kSum));
}

template <typename T>
void JoinOverRanks(distributed::Communicator* communicator, std::vector<T>& ranges) {
  if (communicator == nullptr || ranges.empty()) return;
  const at::Tensor pairs =
      at::from_blob(ranges.data(), {static_cast<int64_t>(ranges.size() / 2), 2},
                    c10::CppTypeToScalarType<T>::value);
  pairs.copy_(distributed::JoinRanges(*communicator, pairs.t().contiguous()).t());
}

template void JoinOverRanks(distributed::Communicator*, std::vector<float>&);
template void JoinOverRanks(distributed::Communicator*, std::vector<double>&);

}  // namespace nas::fused
