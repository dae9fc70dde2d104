// The CPU kernels of the operators in quant/quantizers.h.
//
// A task is a run of kTaskElements elements whatever the number of threads, and partial sums are
// added in the order of tasks, so that results do not depend on the machine. Inner loops run over
// kBlock elements that stay in the first-level cache while every candidate passes over them, and
// are plain enough for the compiler to vectorize; they are compiled for several instruction sets
// and picked at load time. Sums are kept in kLanes lanes on all of them.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include "ATen/Dispatch.h"
#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/std.h"
#include "quant/kernel_inputs.h"
#include "quant/lattice.h"
#include "torch/library.h"

namespace quant {
namespace {

constexpr int64_t kTaskElements = 1 << 15;
constexpr int64_t kBlock = 512;
constexpr int kLanes = 16;

// ThreadSanitizer's runtime is not up yet when the resolvers of clones run.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define QUANT_MULTIVERSION __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define QUANT_MULTIVERSION
#endif
#define QUANT_ALWAYS_INLINE __attribute__((always_inline)) inline

// The lattices of one channel: of candidate i at data[i * stride].
template <typename T>
struct Candidates {
  const T* probs;
  const Lattice<T>* lattices;
  int64_t stride;
  int64_t count;
};

template <typename T>
QUANT_ALWAYS_INLINE void QuantizeBlock(const Lattice<T>& lattice, const T* x, int64_t size,
                                       T* levels) {
  if (lattice.step == 0) {
    std::copy_n(x, size, levels);
    return;
  }
  const Lattice<T> l = lattice;
  for (int64_t j = 0; j < size; ++j) levels[j] = Quantize(l, x[j]);
}

template <typename T>
QUANT_ALWAYS_INLINE void ForwardBlock(const Candidates<T>& candidates, const T* x, int64_t size,
                                      T* y) {
  T levels[kBlock];
  for (int64_t i = 0; i < candidates.count; ++i) {
    QuantizeBlock(candidates.lattices[i * candidates.stride], x, size, levels);
    const T p = candidates.probs[i];
    if (i == 0) {
      for (int64_t j = 0; j < size; ++j) y[j] = levels[j] * p;
    } else {
      for (int64_t j = 0; j < size; ++j) y[j] += levels[j] * p;
    }
  }
}

template <typename T>
QUANT_ALWAYS_INLINE double DotBlock(const T* a, const T* b, int64_t size) {
  T lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= size; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += a[j + l] * b[j + l];
  }
  double sum = 0;
  for (const T lane : lanes) sum += lane;
  for (; j < size; ++j) sum += static_cast<double>(a[j]) * b[j];
  return sum;
}

// Adds the gradients of the probabilities to grad_probs, if it is not null.
template <typename T>
QUANT_ALWAYS_INLINE void BackwardBlock(const Candidates<T>& candidates, const T* grad, const T* x,
                                       int64_t size, T* grad_x, double* grad_probs) {
  T slope[kBlock];
  T levels[kBlock];
  std::fill_n(slope, size, T(0));
  for (int64_t i = 0; i < candidates.count; ++i) {
    const Lattice<T> lattice = candidates.lattices[i * candidates.stride];
    const T p = candidates.probs[i];
    for (int64_t j = 0; j < size; ++j) slope[j] += PassesGradient(lattice, x[j]) ? p : T(0);
    if (grad_probs == nullptr) continue;
    QuantizeBlock(lattice, x, size, levels);
    grad_probs[i] += DotBlock(grad, levels, size);
  }
  for (int64_t j = 0; j < size; ++j) grad_x[j] = grad[j] * slope[j];
}

QUANT_MULTIVERSION void Forward(const Candidates<float>& candidates, const float* x, int64_t size,
                                float* y) {
  ForwardBlock(candidates, x, size, y);
}
QUANT_MULTIVERSION void Forward(const Candidates<double>& candidates, const double* x, int64_t size,
                                double* y) {
  ForwardBlock(candidates, x, size, y);
}
QUANT_MULTIVERSION void Backward(const Candidates<float>& candidates, const float* grad,
                                 const float* x, int64_t size, float* grad_x, double* grad_probs) {
  BackwardBlock(candidates, grad, x, size, grad_x, grad_probs);
}
QUANT_MULTIVERSION void Backward(const Candidates<double>& candidates, const double* grad,
                                 const double* x, int64_t size, double* grad_x,
                                 double* grad_probs) {
  BackwardBlock(candidates, grad, x, size, grad_x, grad_probs);
}

// Calls block(candidates of the block's channel, begin, size) for blocks that cover elements
// [begin, end), each within one channel.
template <typename T, typename Block>
void ForEachBlock(Candidates<T> candidates, ChannelLayout layout, int64_t begin, int64_t end,
                  const Block& block) {
  const Lattice<T>* const first_lattice = candidates.lattices;
  while (begin < end) {
    const int64_t plane = begin / layout.inner;
    const int64_t size = std::min({kBlock, (plane + 1) * layout.inner - begin, end - begin});
    candidates.lattices = first_lattice + plane % layout.channels;
    block(candidates, begin, size);
    begin += size;
  }
}

template <typename T>
Candidates<T> CandidatesOf(const at::Tensor& probs, const at::Tensor& lattices) {
  return {probs.const_data_ptr<T>(),
          reinterpret_cast<const Lattice<T>*>(lattices.const_data_ptr<T>()), lattices.size(1),
          lattices.size(0)};
}

// Calls task(index, begin, end) in parallel for the runs of `size` elements.
template <typename Task>
void ForEachTask(int64_t size, const Task& task) {
  at::parallel_for(0, (size + kTaskElements - 1) / kTaskElements, 1, [&](int64_t from, int64_t to) {
    for (int64_t index = from; index < to; ++index) {
      task(index, index * kTaskElements, std::min((index + 1) * kTaskElements, size));
    }
  });
}

// True for the weights of 1×1 convolutions: channels so short that looping over each is slower than
// transposing the tensor, which makes them whole.
bool HasShortRuns(const at::Tensor& x, int64_t channels, int64_t dim) {
  return channels > 1 && dim > 0 && LayoutOf(x, channels, dim).inner < kLanes;
}

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
                     Forward(c, x_data + first, size, y_data + first);
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
                     Backward(c, grad_data + first, x_data + first, size, grad_x_data + first,
                              sums);
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

template <typename T>
struct Range {
  T min = std::numeric_limits<T>::infinity();
  T max = -std::numeric_limits<T>::infinity();

  void Include(const Range& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
  }
};

template <typename T>
QUANT_ALWAYS_INLINE Range<T> RangeOfRun(const T* x, int64_t size) {
  T low[kLanes], high[kLanes];
  std::fill_n(low, kLanes, std::numeric_limits<T>::infinity());
  std::fill_n(high, kLanes, -std::numeric_limits<T>::infinity());
  int64_t j = 0;
  for (; j + kLanes <= size; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) low[l] = std::min(low[l], x[j + l]);
    for (int l = 0; l < kLanes; ++l) high[l] = std::max(high[l], x[j + l]);
  }
  Range<T> range;
  for (int l = 0; l < kLanes; ++l) range.Include({low[l], high[l]});
  for (; j < size; ++j) range.Include({x[j], x[j]});
  return range;
}

QUANT_MULTIVERSION Range<float> RangeOf(const float* x, int64_t size) {
  return RangeOfRun(x, size);
}
QUANT_MULTIVERSION Range<double> RangeOf(const double* x, int64_t size) {
  return RangeOfRun(x, size);
}

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
  at::parallel_for(0, runs.size(), std::max<int64_t>(1, kTaskElements / run),
                   [&](int64_t from, int64_t to) {
                     for (int64_t i = from; i < to; ++i) {
                       runs[i] = RangeOf(data + i * run, std::min(run, x.numel() - i * run));
                     }
                   });
  std::vector<Range<T>> ranges(channels);
  for (size_t i = 0; i < runs.size(); ++i) ranges[i % channels].Include(runs[i]);
  return ranges;
}

at::Tensor LatticesCpu(const at::Tensor& input, at::IntArrayRef bits, int64_t role_value,
                       int64_t eight_bit_value) {
  const Role role = static_cast<Role>(role_value);
  const EightBit eight_bit = static_cast<EightBit>(eight_bit_value);
  const LatticeNeeds needs = NeedsOf(input, bits, role, eight_bit);
  at::Tensor lattices;
  AT_DISPATCH_FLOATING_TYPES(input.scalar_type(), "lattices", [&] {
    Statistics<scalar_t> statistics;
    if (needs.std) statistics.std = at::std(input, /*unbiased=*/true).item<double>();
    std::vector<Range<scalar_t>> ranges(needs.channels);
    if (needs.range) {
      ranges = ChannelRanges<scalar_t>(input, needs.channels, LatticeDim(role, eight_bit));
    }
    Range<scalar_t> whole;
    for (const Range<scalar_t>& range : ranges) whole.Include(range);
    statistics.tensor_min = whole.min;

    const int64_t candidates = bits.size();
    lattices = at::empty({candidates, needs.channels, kLatticeFields<scalar_t>}, input.options());
    auto* lattice = reinterpret_cast<Lattice<scalar_t>*>(lattices.mutable_data_ptr<scalar_t>());
    for (const int64_t b : bits) {
      for (const Range<scalar_t>& range : ranges) {
        statistics.min = range.min;
        statistics.max = range.max;
        *lattice++ = MakeLattice(b, role, eight_bit, statistics);
      }
    }
  });
  return lattices;
}

TORCH_LIBRARY_IMPL(nqdarts, CPU, library) {
  library.impl("lattices", LatticesCpu);
  library.impl("mixed_quantize", MixedQuantizeCpu);
  library.impl("mixed_quantize_backward", MixedQuantizeBackwardCpu);
}

}  // namespace
}  // namespace quant
