// The CPU kernels of the operators in quant/quantizers.h, below autograd.
#ifndef QUANT_QUANTIZERS_CPU_H_
#define QUANT_QUANTIZERS_CPU_H_

#include <cstdint>
#include <tuple>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"

namespace quant {

// MakeLattices; role and eight_bit are values of their enumerations.
at::Tensor LatticesCpu(const at::Tensor& input, at::IntArrayRef bits, int64_t role,
                       int64_t eight_bit);

// MixedQuantize, and its gradients for input and, if wanted, probs.
at::Tensor MixedQuantizeCpu(const at::Tensor& input, const at::Tensor& probs,
                            const at::Tensor& lattices, int64_t lattice_dim);
std::tuple<at::Tensor, at::Tensor> MixedQuantizeBackwardCpu(
    const at::Tensor& grad_output, const at::Tensor& input, const at::Tensor& probs,
    const at::Tensor& lattices, int64_t lattice_dim, bool probs_need_grad);

}  // namespace quant

#endif  // QUANT_QUANTIZERS_CPU_H_
