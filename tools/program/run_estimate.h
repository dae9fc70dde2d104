// What is known of a training before its first step.
#ifndef TOOLS_PROGRAM_RUN_ESTIMATE_H_
#define TOOLS_PROGRAM_RUN_ESTIMATE_H_

#include <cstdint>

namespace tools {

struct RunEstimate {
  int64_t parameters = 0;    // Of the network that is trained.
  double multiply_adds = 0;  // Of its convolutions, in a supernet of its cells', for one image.
  double rank_bytes = 0;     // Of a rank's tensors, at a step's peak; 0: not known.
  double step_seconds = 0;   // Computing alone; 0: not known.
};

}  // namespace tools

#endif  // TOOLS_PROGRAM_RUN_ESTIMATE_H_
