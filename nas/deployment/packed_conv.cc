#include "nas/deployment/packed_conv.h"

#include "ATen/ops/isfinite.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "quant/exact_sums.h"
#include "quant/lattice.h"
#include "quant/quantizers.h"

namespace nas {
namespace {

using quant::runtime::Node;
using quant::runtime::WeightCode;

absl::Status CheckFlavour(const ConvBits& bits, quant::EightBit eight_bit,
                          const std::string& name) {
  const int64_t ranged = quant::HasRangeLattice(bits.weight) ? bits.weight : bits.activation;
  if (!quant::HasRangeLattice(ranged) || eight_bit == quant::EightBit::kSymmetric)
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": its ", ranged,
      " bits are not symmetric: they have a scale per input channel and no "
      "level 0, so they do not run on integers; say \"eight_bit\": \"symmetric\" in the "
      "architecture file and train, or at least evaluate, the network so"));
}

absl::Status SetWeights(const at::Tensor& weight, int64_t bits, quant::EightBit eight_bit,
                        Node& node) {
  if (!at::isfinite(weight).all().item<bool>())
    return absl::InvalidArgumentError(
        absl::StrCat(node.name, ": has weights that are not finite; the training went wrong"));
  const quant::Levels levels = quant::LevelsOf(weight, bits, quant::Role::kWeight, eight_bit);
  if (!levels.integers) {
    node.float_weights = FloatsOf(levels.levels);
    return absl::OkStatus();
  }
  node.weight_bits = static_cast<int32_t>(bits);
  node.code = quant::HasRangeLattice(bits) ? WeightCode::kSigned : WeightCode::kOdd;
  for (const float level : FloatsOf(levels.levels))
    node.weights.push_back(static_cast<int8_t>(level));
  node.units = FloatsOf(levels.unit);
  return absl::OkStatus();
}

absl::Status SetActivation(const at::Tensor& range, int64_t bits, quant::EightBit eight_bit,
                           Node& node) {
  if (bits == 32) return absl::OkStatus();
  if (quant::NeedsRange({bits}) && !range.defined())
    return absl::InvalidArgumentError(
        absl::StrCat(node.name, ": the range of its ", bits,
                     "-bit activations is not known; evaluate "
                     "--calibrate --calibrated_weights writes weights that have it"));
  // Low bits have the same lattice whatever the range.
  const at::Tensor range_of = range.defined() ? range : at::zeros({1});
  const std::vector<float> lattice =
      FloatsOf(quant::MakeLattices(range_of, {bits}, quant::Role::kActivation, eight_bit)[0][0]);
  const bool is_signed = lattice[2] < 0;
  const int32_t half = (1 << (bits - 1)) - 1;
  node.activation = {.bits = static_cast<int32_t>(bits),
                     .step = lattice[0],
                     .low = is_signed ? -half : 0,
                     .high = is_signed ? half : (1 << bits) - 1};
  return absl::OkStatus();
}

}  // namespace

std::vector<float> FloatsOf(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* const data = floats.const_data_ptr<float>();
  return {data, data + floats.numel()};
}

absl::Status SetConvArithmetic(const at::Tensor& weight, const at::Tensor& range,
                               const ConvBits& bits, quant::EightBit eight_bit, Node& node) {
  RETURN_IF_ERROR(CheckFlavour(bits, eight_bit, node.name));
  RETURN_IF_ERROR(SetWeights(weight, bits.weight, eight_bit, node));
  return SetActivation(range, bits.activation, eight_bit, node);
}

}  // namespace nas
