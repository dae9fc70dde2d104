// What a step of training needs, and whether the machine has it, found out before the first one.
#ifndef TOOLS_PROGRAM_MEMORY_H_
#define TOOLS_PROGRAM_MEMORY_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "distributed/communication/communicator.h"

namespace tools {

// The most bytes that tensors made by `body`, on this thread, occupied at a time.
double PeakTensorBytes(const std::function<void()>& body);

// What a step takes.
struct StepCost {
  double bytes = 0;    // Of tensors, at its peak.
  double seconds = 0;  // On this machine, as busy as it is.
};

// That of a step with `images` images, from steps with two and with four: what is kept for the
// backward pass grows with their number. `step` runs forward and backward with so many images.
StepCost MeasureStep(const std::function<void(int64_t images)>& step, int64_t images);

// What this process may use: the machine's memory, or less where a control group bounds it. 0 if
// neither can be found out.
double MachineBytes();

// ResourceExhausted, on every rank alike, if the ranks of a host need more than it has, or than
// --memory_gb. Every rank calls it with what it needs itself.
absl::Status RequireMemory(double bytes, distributed::Communicator& communicator);

}  // namespace tools

#endif  // TOOLS_PROGRAM_MEMORY_H_
