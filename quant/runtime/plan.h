// A packed network made ready to run: the steps of an image, the weights as the kernels want them,
// and where in one piece of memory every value lies.
//
// A step computes a value row by row from one or two sources and stores each row in all the ways
// that later steps want, its targets: levels as bytes, one a lattice, and floats only for pools,
// additions of what is needed elsewhere too, and the head. Not stored at all is
//   - a convolution or pool that an addition alone uses: it is computed for each row of the sum;
//   - the input of a pointwise convolution that nothing else uses: likewise, for each row;
//   - a concatenation: what is joined is stored right where it belongs.
// Levels come straight from sums of integers where nothing but normalization and ReLU lies between
// (quant/runtime/level_line.h).
#ifndef QUANT_RUNTIME_PLAN_H_
#define QUANT_RUNTIME_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "quant/runtime/conv_kernels.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/row_kernels.h"

namespace quant::runtime {

// How a value is stored.
struct View {
  bool relu = false;            // max(x, 0) …
  ActivationLattice lattice{};  // … as levels, unless of 32 bits …
  bool integers = false;        // … in bytes, less the lowest one; else in float.
  bool operator==(const View&) const = default;

  int64_t element() const { return integers ? sizeof(uint8_t) : sizeof(float); }
};

struct Buffer {
  int64_t bytes = 0;
  int64_t offset = 0;             // In the workspace.
  int32_t first = -1, last = -1;  // Steps that use it.
};

struct Target {
  View view = {};
  int32_t buffer = -1;             // −1: the row of the convolution that takes it.
  int64_t offset = 0, stride = 0;  // Of the first channel, and from pixel to pixel, in elements.
  float reciprocal = 0;            // As QuantizeRow wants it.
  // Of a convolution's sums; empty unless there is such a line for every channel.
  std::vector<float> slope = {}, intercept = {};
};

struct ConvPlan {
  int32_t node = 0;
  ConvGeometry geometry;
  bool integers = false;  // Else floats.
  IntWeights ints = {};
  std::vector<float> floats = {};
  // As Finish wants them; empty where all targets have lines.
  std::vector<double> scale = {};
  std::vector<float> norm_scale = {}, norm_shift = {};  // Empty if there is none.
};

// A row of floats, or of sums.
struct Source {
  enum class Kind { kStored, kConv, kPool, kGlobalMean, kLinear };
  Kind kind = Kind::kStored;
  int32_t node = -1;     // kStored has none.
  int32_t buffer = -1;   // That it reads.
  int64_t channels = 0;  // Of that, where values are joined.
  int32_t conv = -1;     // Index into Plan::convs.
  // The convolution whose rows that one takes, and how; −1: it reads `buffer`.
  int32_t inner = -1;
  Target inner_target = {};
};

struct Step {
  enum class Kind { kSame, kRelu, kNorm, kAdd, kConcat };
  Kind kind = Kind::kSame;
  std::vector<Source> sources = {};
  std::vector<Target> targets = {};
  Shape shape = {};                           // Of the result.
  std::vector<float> scale = {}, shift = {};  // Of kNorm, as NormRow wants them.
};

struct Plan {
  Shapes shapes;
  std::vector<Step> steps;
  std::vector<Buffer> buffers;
  std::vector<ConvPlan> convs;
  int32_t input = 0, logits = 0;  // Buffers of floats.
  // The workspace: values, then what a row needs, in bytes.
  int64_t sums = 0, scratch = 0;  // Offsets; of convolutions.
  int64_t inner_row = 0;          // Levels or floats that a pointwise convolution takes.
  int64_t rows[2] = {}, level_row = 0;
  int64_t workspace_bytes = 0;
  int64_t weight_bytes = 0;  // As the kernels want them, with all numbers of channels.
};

// InvalidArgument as from CheckNetwork, or if it would need more memory than kMostBytes.
inline constexpr int64_t kMostBytes = int64_t{1} << 34;
absl::StatusOr<Plan> MakePlan(const PackedNetwork& network);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_PLAN_H_
