// Numbers that are none any more: a run that diverged ends where that is first seen.
#ifndef DISTRIBUTED_TRAINING_FINITE_H_
#define DISTRIBUTED_TRAINING_FINITE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "base/tensor_file.h"
#include "distributed/training/task.h"

namespace distributed {

// OutOfRange naming the first metric whose sum is infinite or not a number: "loss is nan". Metrics
// of count 0 are passed over.
absl::Status RequireFinite(const Metrics& metrics);
absl::Status RequireFinite(const std::map<std::string, double>& means);

// OutOfRange naming the first tensor of floating-point numbers that are not all finite.
absl::Status RequireFinite(const base::TensorMap& state);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_FINITE_H_
