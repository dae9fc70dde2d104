// Functions compiled for several instruction sets, of which every call takes the best that the
// processor has. All of them give the same bits if they do the same operations in the same order
// (fixed_lanes.h) and are compiled with -ffp-contract=off.
//
//   template <typename T>
//   MULTIVERSION_INLINE void ScaleOf(T* x, int64_t size, T by) { ... }
//
//   // Defines void Scale(float* x, int64_t size, float by).
//   MULTIVERSION(void, Scale, (float* x, int64_t size, float by), (x, size, by), ScaleOf)
#ifndef BASE_MULTIVERSION_H_
#define BASE_MULTIVERSION_H_

#include <string>
#include <vector>

namespace base {

enum class InstructionSet { kBaseline, kAvx2, kAvx512f };

std::string InstructionSetName(InstructionSet set);

// Those that multiversion functions are compiled for and this processor has, from the least.
std::vector<InstructionSet> InstructionSets();

// The one that calls take.
InstructionSet InstructionSetInUse();

// For tests: calls take `set`, one of InstructionSets(), from now on, in every thread.
void PinInstructionSet(InstructionSet set);

}  // namespace base

// For what a multiversion function calls: inlined, it is compiled for the same instruction sets.
#define MULTIVERSION_INLINE __attribute__((always_inline)) inline

#if defined(__x86_64__)
#define MULTIVERSION(Result, Name, Parameters, Arguments, Implementation)      \
  static Result Name##Baseline Parameters { return Implementation Arguments; } \
  __attribute__((target("avx2"))) static Result Name##Avx2 Parameters {        \
    return Implementation Arguments;                                           \
  }                                                                            \
  __attribute__((target("avx512f"))) static Result Name##Avx512f Parameters {  \
    return Implementation Arguments;                                           \
  }                                                                            \
  Result Name Parameters {                                                     \
    switch (base::InstructionSetInUse()) {                                     \
      case base::InstructionSet::kBaseline:                                    \
        break;                                                                 \
      case base::InstructionSet::kAvx2:                                        \
        return Name##Avx2 Arguments;                                           \
      case base::InstructionSet::kAvx512f:                                     \
        return Name##Avx512f Arguments;                                        \
    }                                                                          \
    return Name##Baseline Arguments;                                           \
  }
#else
#define MULTIVERSION(Result, Name, Parameters, Arguments, Implementation) \
  Result Name Parameters { return Implementation Arguments; }
#endif

#endif  // BASE_MULTIVERSION_H_
