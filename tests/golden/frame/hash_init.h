// Weights and inputs that a golden file names by a seed alone: every element is a hash of (name,
// seed, index). The formula is "hash_init" in the manifest's doc.
#ifndef TESTS_GOLDEN_FRAME_HASH_INIT_H_
#define TESTS_GOLDEN_FRAME_HASH_INIT_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/strings/string_view.h"
#include "c10/util/ArrayRef.h"

namespace golden {

// A float32 parameter: two or more dimensions are uniform in ±sqrt(3 / fan_in), a one-dimensional
// "*.weight" is 1 ± 0.1 and a "*.bias" is ± 0.1. `name` is the published module's.
at::Tensor HashParameter(absl::string_view name, uint64_t seed, at::IntArrayRef shape);

// A float32 input, uniform in ±1.7; `name` is "input" or the tensor's key.
at::Tensor HashInput(absl::string_view name, uint64_t seed, at::IntArrayRef shape);

}  // namespace golden

#endif  // TESTS_GOLDEN_FRAME_HASH_INIT_H_
