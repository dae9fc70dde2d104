#include "nas/fused/why_not.h"

#include "absl/strings/str_cat.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/quantizer_set.h"

namespace nas::fused {

std::string WhyNotComputed(const at::Tensor& x) {
  if (!x.is_cpu()) return absl::StrCat("it computes on the CPU, not on ", x.device().str());
  if (!KernelsAvailable()) return "this processor has neither AVX2 nor NEON";
  if (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) return "";
  return absl::StrCat("it computes in float32 and float64, not in ",
                      c10::toString(x.scalar_type()));
}

std::string WhyNotMixed(c10::ArrayRef<int64_t> bits) {
  constexpr int kMost = Mixture<float>::kMaxCandidates;
  if (NumCandidates(bits) <= kMost) return "";
  return absl::StrCat("it mixes up to ", kMost, " bit widths beside 32, not ", NumCandidates(bits));
}

std::string WhyNotHalved(const at::Tensor& x) {
  if (x.size(2) % 2 == 0 && x.size(3) % 2 == 0) return "";
  return absl::StrCat("it halves even sides, not ", x.size(2), " x ", x.size(3));
}

}  // namespace nas::fused
