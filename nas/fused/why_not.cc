#include "nas/fused/why_not.h"

#include "absl/strings/str_cat.h"
#include "nas/fused/cell_plan.h"
#include "nas/fused/elementwise.h"
#include "nas/fused/fused_kernels.h"
#include "nas/fused/quantizer_set.h"

namespace nas::fused {

std::string WhyNotComputed(const at::Tensor& x) {
  if (!x.is_cpu()) return absl::StrCat("it computes on the CPU, not on ", x.device().str());
  if (!KernelsAvailable()) return "this processor has neither AVX2 nor NEON";
  return WhyNotOfType(x);
}

std::string WhyNotOfType(const at::Tensor& x) {
  if (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) return "";
  return absl::StrCat("it computes in float32 and float64, not in ",
                      c10::toString(x.scalar_type()));
}

std::string WhyNotPlanned(const CellSpec& cell, const at::Tensor& s0, const at::Tensor& s1) {
  const CellPlan::Options& options = cell.plan->options;
  std::string why_not = WhyNotMixed(cell.bits);
  if (why_not.empty() && options.previous_reduction) why_not = WhyNotHalved(s0);
  if (why_not.empty() && options.reduction) why_not = WhyNotHalved(s1);
  return why_not;
}

std::string WhyNotMixed(c10::ArrayRef<int64_t> bits) {
  if (NumCandidates(bits) <= kMaxCandidates) return "";
  return absl::StrCat("it mixes up to ", kMaxCandidates, " bit widths beside 32, not ",
                      NumCandidates(bits));
}

std::string WhyNotHalved(const at::Tensor& x) {
  if (x.size(2) % 2 == 0 && x.size(3) % 2 == 0) return "";
  return absl::StrCat("it halves even sides, not ", x.size(2), " x ", x.size(3));
}

}  // namespace nas::fused
