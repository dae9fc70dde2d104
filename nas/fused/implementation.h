// How a network computes.
#ifndef NAS_FUSED_IMPLEMENTATION_H_
#define NAS_FUSED_IMPLEMENTATION_H_

namespace nas {

enum class Implementation {
  kFused,     // By the operators of nas/fused, where that can be; the numbers are the same.
  kComposed,  // Module by module.
};

}  // namespace nas

#endif  // NAS_FUSED_IMPLEMENTATION_H_
