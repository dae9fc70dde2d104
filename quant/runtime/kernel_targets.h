// The instruction sets that the kernels of the runtime are compiled for.
#ifndef QUANT_RUNTIME_KERNEL_TARGETS_H_
#define QUANT_RUNTIME_KERNEL_TARGETS_H_

#include <cstdint>

#include "absl/types/span.h"

namespace quant::runtime {

// Those that this processor has, by Highway's numbers and names; and making one of them the only
// one, which tests do (0: back to the best).
absl::Span<const int64_t> KernelTargets();
const char* KernelTargetName(int64_t target);
void UseKernelTarget(int64_t target);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_KERNEL_TARGETS_H_
