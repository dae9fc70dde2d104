// A packed network made ready to run: the steps of an image, the weights as the kernels want them,
// and where in one piece of memory every value lies.
//
// A value that convolutions alone use, all in the same way, is never stored as floats: where only
// normalization and ReLU lie between, its integers come from the sums by thresholds. A value that
// an addition, a pool or a concatenation uses too stays in float, and its integers are a copy.
#ifndef QUANT_RUNTIME_PLAN_H_
#define QUANT_RUNTIME_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "quant/runtime/kernels.h"
#include "quant/runtime/packed_network.h"

namespace quant::runtime {

// How a value is stored.
struct View {
  bool relu = false;            // max(x, 0) …
  ActivationLattice lattice{};  // … as levels, unless of 32 bits …
  bool integers = false;        // … in int16, else in float.
  bool operator==(const View&) const = default;

  bool IsValueItself() const { return *this == View(); }
};

struct Buffer {
  int64_t bytes = 0;
  int64_t offset = 0;           // In the workspace.
  int32_t first = 0, last = 0;  // Steps that use it.
};

struct ConvWeights {
  ConvGeometry geometry;
  bool integers = false;  // Else floats.
  std::vector<int16_t> ints;
  std::vector<float> floats;
  // Per channel, padded as kernels want it.
  std::vector<double> scale;
  std::vector<float> norm_scale, norm_shift;  // Empty if there is none.
  // Of what is stored, if it comes from thresholds.
  int32_t num_thresholds = 0;
  std::vector<int32_t> sign, thresholds;
};

struct Step {
  enum class Kind { kConvert, kConv, kPool, kAdd, kConcat, kGlobalMean, kLinear };
  Kind kind;
  int32_t node = -1;                 // kConvert has none.
  std::vector<int32_t> inputs = {};  // Buffers.
  int32_t output = 0;
  View view = {};       // Of the output.
  int32_t weights = 0;  // kConv: index into Plan::convs.
  Shape shape = {};     // Of the output.
};

struct Plan {
  Shapes shapes;
  std::vector<Step> steps;
  std::vector<Buffer> buffers;
  std::vector<ConvWeights> convs;
  int32_t input = 0, logits = 0;  // Buffers.
  // The workspace: values, then what a row of a convolution needs, in bytes.
  int64_t sums = 0, row = 0, zeros = 0;  // Offsets.
  int64_t workspace_bytes = 0;
};

// InvalidArgument as from CheckNetwork, or if it would need more memory than kMostBytes.
inline constexpr int64_t kMostBytes = int64_t{1} << 34;
absl::StatusOr<Plan> MakePlan(const PackedNetwork& network);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_PLAN_H_
