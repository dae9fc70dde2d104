// The flags of the SGD that trains weights.
#ifndef TOOLS_FLAGS_OPTIMIZER_FLAGS_H_
#define TOOLS_FLAGS_OPTIMIZER_FLAGS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "nas/learning/schedules.h"

namespace tools {

struct SgdFlags {
  nas::Schedule rate;
  double momentum;
  double weight_decay;
  double grad_clip;
};

// InvalidArgument naming the flag whose value, alone or for so many epochs, makes no sense.
absl::StatusOr<SgdFlags> SgdFromFlags(int64_t epochs);

}  // namespace tools

#endif  // TOOLS_FLAGS_OPTIMIZER_FLAGS_H_
