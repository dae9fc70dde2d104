// Statistics, and the work divided among threads.
//
// A task is a run of kTaskElements elements whatever the number of threads, and partial sums are
// added in the order of tasks, so that results do not depend on the machine.

#include "quant/quantizers_cpu.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "ATen/Dispatch.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "base/fixed_lanes.h"
#include "base/parallel.h"
#include "quant/channel_blocks.h"
#include "quant/kernel_inputs.h"
#include "quant/lattice.h"
#include "quant/quantizers_cpu_kernels.h"
#include "torch/library.h"

namespace quant {
namespace {

template <typename T>
Candidates<T> CandidatesOf(const at::Tensor& probs, const at::Tensor& lattices) {
  return {probs.const_data_ptr<T>(),
          reinterpret_cast<const Lattice<T>*>(lattices.const_data_ptr<T>()), lattices.size(1),
          lattices.size(0)};
}

// Calls task(index, begin, end) in parallel for the runs of `size` elements.
template <typename Task>
void ForEachTask(int64_t size, const Task& task) {
  base::ParallelFor(0, (size + kTaskElements - 1) / kTaskElements, 1, [&](int64_t from, int64_t to) {
    for (int64_t index = from; index < to; ++index) {
      task(index, index * kTaskElements, std::min((index + 1) * kTaskElements, size));
    }
  });
}

// True for the weights of 1×1 convolutions: channels so short that looping over each is slower than
// transposing the tensor, which makes them whole.
bool HasShortRuns(const at::Tensor& x, int64_t channels, int64_t dim) {
  return channels > 1 && dim > 0 && LayoutOf(x, channels, dim).inner < base::kLanes;
}

}  // namespace

at::Tensor MixedQuantizeCpu(const at::Tensor& input, const at::Tensor& probs,
                            const at::Tensor& lattices, int64_t lattice_dim) {
  if (HasShortRuns(input, lattices.size(1), lattice_dim)) {
    return MixedQuantizeCpu(input.transpose(0, lattice_dim), probs, lattices, 0)
        .transpose(0, lattice_dim)
        .contiguous();
  }
  const at::Tensor x = input.contiguous();
  at::Tensor y = at::empty_like(x);
  const ChannelLayout layout = LayoutOf(x, lattices.size(1), lattice_dim);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_quantize", [&] {
    const at::Tensor contiguous_probs = probs.contiguous();
    const auto candidates = CandidatesOf<scalar_t>(contiguous_probs, lattices);
    const scalar_t* x_data = x.const_data_ptr<scalar_t>();
    scalar_t* y_data = y.mutable_data_ptr<scalar_t>();
    ForEachTask(x.numel(), [&](int64_t, int64_t begin, int64_t end) {
      ForEachBlock(candidates, layout, begin, end,
                   [&](const Candidates<scalar_t>& c, int64_t first, int64_t size) {
                     MixBlock(c, x_data + first, size, y_data + first);
                   });
    });
  });
  return y;
}

std::tuple<at::Tensor, at::Tensor> MixedQuantizeBackwardCpu(
    const at::Tensor& grad_output, const at::Tensor& input, const at::Tensor& probs,
    const at::Tensor& lattices, int64_t lattice_dim, bool probs_need_grad) {
  if (HasShortRuns(input, lattices.size(1), lattice_dim)) {
    auto [grad_x, grad_probs] = MixedQuantizeBackwardCpu(grad_output.transpose(0, lattice_dim),
                                                         input.transpose(0, lattice_dim), probs,
                                                         lattices, 0, probs_need_grad);
    return {grad_x.transpose(0, lattice_dim), grad_probs};
  }
  const at::Tensor grad = grad_output.contiguous();
  const at::Tensor x = input.contiguous();
  at::Tensor grad_x = at::empty_like(x);
  at::Tensor grad_probs;
  const ChannelLayout layout = LayoutOf(x, lattices.size(1), lattice_dim);
  const int64_t count = lattices.size(0);
  const int64_t tasks = (x.numel() + kTaskElements - 1) / kTaskElements;
  std::vector<double> partial_sums(probs_need_grad ? tasks * count : 0);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_quantize_backward", [&] {
    const at::Tensor contiguous_probs = probs.contiguous();
    const auto candidates = CandidatesOf<scalar_t>(contiguous_probs, lattices);
    const scalar_t* grad_data = grad.const_data_ptr<scalar_t>();
    const scalar_t* x_data = x.const_data_ptr<scalar_t>();
    scalar_t* grad_x_data = grad_x.mutable_data_ptr<scalar_t>();
    ForEachTask(x.numel(), [&](int64_t task, int64_t begin, int64_t end) {
      double* sums = probs_need_grad ? &partial_sums[task * count] : nullptr;
      ForEachBlock(candidates, layout, begin, end,
                   [&](const Candidates<scalar_t>& c, int64_t first, int64_t size) {
                     MixBlockBackward(c, grad_data + first, x_data + first, size,
                                      grad_x_data + first, sums);
                   });
    });
    if (!probs_need_grad) return;
    grad_probs = at::empty({count}, probs.options());
    scalar_t* grad_probs_data = grad_probs.mutable_data_ptr<scalar_t>();
    for (int64_t i = 0; i < count; ++i) {
      double sum = 0;
      for (int64_t task = 0; task < tasks; ++task) sum += partial_sums[task * count + i];
      grad_probs_data[i] = static_cast<scalar_t>(sum);
    }
  });
  return {grad_x, grad_probs};
}

namespace {

// The range of each channel.
template <typename T>
std::vector<Range<T>> ChannelRanges(const at::Tensor& input, int64_t channels, int64_t dim) {
  if (HasShortRuns(input, channels, dim)) {
    return ChannelRanges<T>(input.transpose(0, dim), channels, 0);
  }
  const at::Tensor x = input.contiguous();
  const ChannelLayout layout = LayoutOf(x, channels, dim);
  const int64_t run = channels == 1 ? kTaskElements : layout.inner;
  std::vector<Range<T>> runs((x.numel() + run - 1) / run);
  const T* data = x.const_data_ptr<T>();
  base::ParallelFor(0, runs.size(), std::max<int64_t>(1, kTaskElements / run),
                   [&](int64_t from, int64_t to) {
                     for (int64_t i = from; i < to; ++i) {
                       runs[i] = RangeOf(data + i * run, std::min(run, x.numel() - i * run));
                     }
                   });
  std::vector<Range<T>> ranges(channels);
  for (size_t i = 0; i < runs.size(); ++i) ranges[i % channels].Include(runs[i]);
  return ranges;
}

}  // namespace

at::Tensor LatticesCpu(const at::Tensor& input, at::IntArrayRef bits, int64_t role_value,
                       int64_t eight_bit_value) {
  const Role role = static_cast<Role>(role_value);
  const EightBit eight_bit = static_cast<EightBit>(eight_bit_value);
  const LatticeNeeds needs = NeedsOf(input, bits, role, eight_bit);
  at::Tensor lattices;
  AT_DISPATCH_FLOATING_TYPES(input.scalar_type(), "lattices", [&] {
    double std = 0;
    if (needs.std) {
      const at::Tensor x = input.contiguous();
      std = StandardDeviation(x.const_data_ptr<scalar_t>(), x.numel());
    }
    std::vector<Range<scalar_t>> ranges(needs.channels);
    if (needs.range) {
      ranges = ChannelRanges<scalar_t>(input, needs.channels, LatticeDim(role, eight_bit));
    }
    const int64_t candidates = bits.size();
    lattices = at::empty({candidates, needs.channels, kLatticeFields<scalar_t>}, input.options());
    FillLattices(bits, role, eight_bit, std, ranges,
                 reinterpret_cast<Lattice<scalar_t>*>(lattices.mutable_data_ptr<scalar_t>()));
  });
  return lattices;
}

namespace {

TORCH_LIBRARY_IMPL(nqdarts, CPU, library) {
  library.impl("lattices", LatticesCpu);
  library.impl("mixed_quantize", MixedQuantizeCpu);
  library.impl("mixed_quantize_backward", MixedQuantizeBackwardCpu);
}

}  // namespace
}  // namespace quant
