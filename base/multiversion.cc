#include "base/multiversion.h"

#include <algorithm>
#include <atomic>

#include "glog/logging.h"

namespace base {
namespace {

std::atomic<InstructionSet>& InUse() {
  static std::atomic<InstructionSet> in_use = InstructionSets().back();
  return in_use;
}

}  // namespace

std::string InstructionSetName(InstructionSet set) {
  switch (set) {
    case InstructionSet::kBaseline:
      return "baseline";
    case InstructionSet::kAvx2:
      return "AVX2";
    case InstructionSet::kAvx512f:
      return "AVX-512F";
  }
  LOG(FATAL) << "unknown instruction set";
}

std::vector<InstructionSet> InstructionSets() {
  std::vector<InstructionSet> sets = {InstructionSet::kBaseline};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) sets.push_back(InstructionSet::kAvx2);
  if (__builtin_cpu_supports("avx512f")) sets.push_back(InstructionSet::kAvx512f);
#endif
  return sets;
}

InstructionSet InstructionSetInUse() { return InUse().load(std::memory_order_relaxed); }

void PinInstructionSet(InstructionSet set) {
  const std::vector<InstructionSet> sets = InstructionSets();
  CHECK(std::find(sets.begin(), sets.end(), set) != sets.end()) << InstructionSetName(set);
  InUse() = set;
}

}  // namespace base
