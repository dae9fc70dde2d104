#include "quant/runtime/kernel_targets.h"

#include <vector>

#include "hwy/targets.h"

namespace quant::runtime {

absl::Span<const int64_t> KernelTargets() {
  static const auto* targets = new std::vector<int64_t>(hwy::SupportedAndGeneratedTargets());
  return *targets;
}

const char* KernelTargetName(int64_t target) { return hwy::TargetName(target); }

void UseKernelTarget(int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace quant::runtime
