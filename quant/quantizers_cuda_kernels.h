// Launchers of the quantizers' CUDA kernels: plain pointers, so that nvcc sees none of LibTorch.
// T is float or double. All pointers are to device memory unless said otherwise.
#ifndef QUANT_QUANTIZERS_CUDA_KERNELS_H_
#define QUANT_QUANTIZERS_CUDA_KERNELS_H_

#include <cstdint>

#include "cuda_runtime_api.h"
#include "quant/lattice.h"

namespace quant {

inline constexpr int64_t kMaxCudaCandidates = 9;

// Element i of x is in channel (i / inner) % channels; candidate k's lattice for channel c is
// lattices[k·channels + c].
struct MixtureShape {
  int64_t size;
  int64_t inner;
  int64_t channels;
  int64_t candidates;  // ≤ kMaxCudaCandidates
};

// y[i] = Σ_k probs[k]·Q_k(x[i]).
template <typename T>
cudaError_t LaunchMix(const MixtureShape& shape, const T* x, const T* probs,
                      const Lattice<T>* lattices, T* y, cudaStream_t stream);

// Rows of partial sums that LaunchMixBackward writes: a function of the size alone, so that sums do
// not depend on the device.
int64_t PartialSums(int64_t size);

// grad_x, and [PartialSums(size), candidates] sums of the gradient of probs, which the caller adds
// up; null partial_sums if they are not wanted.
template <typename T>
cudaError_t LaunchMixBackward(const MixtureShape& shape, const T* grad, const T* x, const T* probs,
                              const Lattice<T>* lattices, T* grad_x, double* partial_sums,
                              cudaStream_t stream);

struct LatticeRecipe {
  int64_t bits[kMaxCudaCandidates];
  int64_t candidates;
  int64_t channels;
  Role role;
  EightBit eight_bit;
};

// Fills [candidates, channels] lattices. `tensor_std` (one value), `min` and `max` (one per
// channel) and `tensor_min` (one value) may be null where no candidate depends on them.
template <typename T>
cudaError_t LaunchLattices(const LatticeRecipe& recipe, const T* tensor_std, const T* min,
                           const T* max, const T* tensor_min, Lattice<T>* lattices,
                           cudaStream_t stream);

}  // namespace quant

#endif  // QUANT_QUANTIZERS_CUDA_KERNELS_H_
