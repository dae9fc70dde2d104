// A network as a packed file holds it: a small graph of operations, their weights at their true bit
// widths, and what a user needs beside (classes, preparation of the images, architecture).
//
// Value 0 is the image, value i + 1 the result of nodes[i]; the last node's is the logits. A value
// is [height, width, channels], and channels vary fastest. What operations compute is in
// quant/runtime/arithmetic.h; FORMAT.md is the file.
#ifndef QUANT_RUNTIME_PACKED_NETWORK_H_
#define QUANT_RUNTIME_PACKED_NETWORK_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quant::runtime {

enum class Op : uint8_t {
  kConv = 1,
  kRelu = 2,
  kMaxPool = 3,  // Padding does not count.
  kAvgPool = 4,  // Likewise: the mean of what is inside of the image.
  kAdd = 5,
  kConcat = 6,          // Of channels.
  kGlobalMean = 7,      // Over all pixels.
  kLinear = 8,          // On a value of one pixel.
  kNorm = 9,            // A scale and a shift per channel.
  kPaddedAvgPool = 10,  // The mean over all taps, zeros outside of the image included.
};

// Where the taps of output pixel (y, x) lie: at y·stride_h − pad_top + i·dilation_h, and likewise
// x. What is outside of the image counts as 0. A negative padding leaves out the first rows.
struct Window {
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  int32_t dilation_h = 1, dilation_w = 1;
  int32_t out_h = 1, out_w = 1;
};

// How a convolution's input becomes integers: level = clamp(round(x / step), low, high).
struct ActivationLattice {
  int32_t bits = 32;  // 32: it stays as it is.
  float step = 1;
  int32_t low = 0, high = 0;
  bool operator==(const ActivationLattice&) const = default;
};

// What a level q, one of −2^(bits−1) … 2^(bits−1) − 1, stands for.
enum class WeightCode : uint8_t {
  kFloat = 0,   // There are none: float weights.
  kOdd = 1,     // 2q + 1
  kSigned = 2,  // q
};

// Whether an operation of one input has a window and no weights.
constexpr bool IsPool(Op op) {
  return op == Op::kMaxPool || op == Op::kAvgPool || op == Op::kPaddedAvgPool;
}

struct Node {
  Op op = Op::kConv;
  std::string name = {};  // Of a convolution or linear: the module's; else may be empty.
  std::vector<uint32_t> inputs = {};  // Values before this node's own.
  Window window = {};                 // Of convolutions and pools.

  // Convolution, linear: weights [out_channels, in_channels / groups, kernel_h, kernel_w].
  int32_t out_channels = 0;
  int32_t groups = 1;
  int32_t weight_bits = 32;
  WeightCode code = WeightCode::kFloat;
  std::vector<int8_t> weights = {};  // What the levels stand for, as of `code`; |w| ≤ 127.
  std::vector<float> float_weights = {};
  // The result is weights · levels of the input times activation.step · unit, of one unit or of
  // one per output channel; none for float weights, whose unit is 1.
  std::vector<float> units = {};
  bool relu = false;  // Whether the input passes a ReLU first.
  ActivationLattice activation = {};
  // Of kNorm, per channel. Batch normalization of a convolution's result likewise; both empty if
  // there is none. A linear node has its biases in `shift` and no scale.
  std::vector<float> scale = {}, shift = {};
};

// How an image becomes the network's input.
enum class Preparation : uint8_t {
  kExact = 0,       // It has the network's size.
  kCenterCrop = 1,  // The centre square, resized: `crop` of the shorter side.
};

struct PackedNetwork {
  std::string architecture =
      {};  // JSON, as nas/derived/architecture.h describes it, without the bits.
  std::vector<std::string> classes = {};
  int32_t height = 0, width = 0;  // Of the input, which has three channels.
  Preparation preparation = Preparation::kExact;
  float crop = 1;
  // Input = (v / 255 − mean) / std for a pixel value v, per channel.
  std::array<float, 3> mean = {0, 0, 0}, std = {1, 1, 1};
  std::vector<Node> nodes = {};
};

struct Shape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t size() const { return height * width * channels; }
  int64_t pixels() const { return height * width; }
};

// What follows from a network without its weights.
struct Shapes {
  std::vector<Shape> values;  // nodes.size() + 1 of them.
  double macs = 0;            // Multiplications of an image.
};

// Bounds that keep sizes and sums within what the runtime's integers hold.
inline constexpr int64_t kMostSide = 1 << 16;
inline constexpr int64_t kMostChannels = 1 << 20;
inline constexpr int64_t kMostElements = 1 << 28;  // Of a value or of weights.
inline constexpr int64_t kMostNodes = 1 << 16;
inline constexpr int64_t kMostKernelSide = 16;
inline constexpr int64_t kMostSum = (1 << 30) - 1;  // Of a convolution's integers.

// The shapes of `nodes`, or InvalidArgument naming the node that contradicts itself or its inputs.
// Weights are not looked at: it comes before they are read.
absl::StatusOr<Shapes> InferShapes(const PackedNetwork& network);

// How many weights, units, scales a node has.
int64_t NumWeights(const Node& node, const Shape& input);

// InvalidArgument naming the node unless InferShapes succeeds and all weights are there, finite and
// in range.
absl::Status CheckNetwork(const PackedNetwork& network);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_PACKED_NETWORK_H_
