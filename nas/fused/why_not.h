// Why the fused operators cannot compute something: a reason to say, empty if they can.
#ifndef NAS_FUSED_WHY_NOT_H_
#define NAS_FUSED_WHY_NOT_H_

#include <string>

#include "ATen/core/Tensor.h"
#include "c10/util/ArrayRef.h"
#include "nas/fused/cell_spec.h"

namespace nas::fused {

// Its device, its dtype, this processor.
std::string WhyNotComputed(const at::Tensor& x);
// Its dtype.
std::string WhyNotOfType(const at::Tensor& x);
// The number of candidates, and the sides of inputs that the cell halves.
std::string WhyNotPlanned(const CellSpec& cell, const at::Tensor& s0, const at::Tensor& s1);
// The number of candidates.
std::string WhyNotMixed(c10::ArrayRef<int64_t> bits);
// The sides of x, [N, C, H, W].
std::string WhyNotHalved(const at::Tensor& x);

}  // namespace nas::fused

#endif  // NAS_FUSED_WHY_NOT_H_
