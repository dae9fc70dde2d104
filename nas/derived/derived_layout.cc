#include "nas/derived/derived_layout.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"
#include "quant/bit_cost.h"

namespace nas {
namespace {

using quant::ConvShape;

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t last) {
  if (1 <= value && value <= last) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": is ", value, "; expected 1..", last));
}

struct Conv {
  int64_t in_channels;
  int64_t out_channels;
  int64_t kernel_h = 1;
  int64_t kernel_w = 1;
  int64_t stride_h = 1;
  int64_t stride_w = 1;
  int64_t groups = 1;
  bool padded = true;  // So that stride 1 keeps the size.
};

ConvShape ShapeOf(const Conv& conv, int64_t in_h, int64_t in_w) {
  const int64_t lost_h = conv.padded ? 1 : conv.kernel_h;
  const int64_t lost_w = conv.padded ? 1 : conv.kernel_w;
  return {.in_channels = conv.in_channels,
          .out_channels = conv.out_channels,
          .kernel_h = conv.kernel_h,
          .kernel_w = conv.kernel_w,
          .stride_h = conv.stride_h,
          .stride_w = conv.stride_w,
          .groups = conv.groups,
          .in_h = in_h,
          .in_w = in_w,
          .out_h = (in_h - lost_h) / conv.stride_h + 1,
          .out_w = (in_w - lost_w) / conv.stride_w + 1};
}

int64_t NumWeights(const ConvShape& shape) {
  return static_cast<int64_t>(quant::Parameters(shape, quant::CostModel::kExact));
}

class LayoutBuilder {
 public:
  LayoutBuilder(const Genotype& genotype, const NetworkShape& shape)
      : genotype_(genotype), shape_(shape) {}

  DerivedLayout Build() {
    Stem();
    for (int i = 0; i < shape_.layers; ++i) Cell(i);
    AddClassifier("classifier", layout_.cells.back().output_channels);
    if (shape_.auxiliary) Auxiliary();
    return std::move(layout_);
  }

 private:
  // `tensor`: what it reads, if others may read it, too.
  void AddConv(std::string name, const Conv& conv, int64_t in_h, int64_t in_w,
               absl::string_view tensor = {}) {
    const ConvShape shape = ShapeOf(conv, in_h, in_w);
    std::string read(tensor.empty() ? name : tensor);
    layout_.convs.push_back({.name = std::move(name),
                             .operation = layout_.operations.size() - 1,
                             .shape = shape,
                             .tensor = std::move(read)});
    layout_.num_parameters += NumWeights(shape);
  }

  // A convolution of the stem or the auxiliary head.
  void AddOuterConv(std::string name, const Conv& conv, int64_t side) {
    if (!shape_.quantize_stem) return AddFloatConv(std::move(name), conv, side);
    AddConv(std::move(name), conv, side, side);
    layout_.convs.back().operation = std::nullopt;
  }

  void AddNorm(int64_t channels) { layout_.num_parameters += 2 * channels; }

  void AddFloatConv(std::string name, const Conv& conv, int64_t side) {
    const ConvShape shape = ShapeOf(conv, side, side);
    layout_.float_convs.push_back({std::move(name), /*auxiliary=*/false, shape});
    layout_.num_parameters += NumWeights(shape);
  }

  void AddClassifier(const std::string& name, int64_t in_channels) {
    AddFloatConv(name, {in_channels, shape_.classes}, 1);
    layout_.num_parameters += shape_.classes;
  }

  void Stem() {
    const int64_t side = shape_.image_side;
    const int64_t channels = shape_.channels;
    if (shape_.images == ImageKind::kCifar) {
      AddOuterConv("stem.0", {3, 3 * channels, 3, 3}, side);
      AddNorm(3 * channels);
      side1_ = side;
      channels0_ = channels1_ = 3 * channels;
      return;
    }
    AddOuterConv("stem0.0", {3, channels / 2, 3, 3, 2, 2}, side);
    AddOuterConv("stem0.3", {channels / 2, channels, 3, 3, 2, 2}, side / 2);
    AddOuterConv("stem1.1", {channels, channels, 3, 3, 2, 2}, side / 4);
    AddNorm(channels / 2);
    AddNorm(channels);
    AddNorm(channels);
    side1_ = side / 8;
    channels0_ = channels1_ = channels;
    previous_reduction_ = true;
  }

  // Of a cell; -1 is what the first cell has as input 1, -2 its input 0.
  std::string OutputName(int cell) const {
    if (cell >= 0) return absl::StrCat("cells.", cell);
    if (shape_.images == ImageKind::kCifar) return "stem";
    return cell == -2 ? "stem0" : "stem1";
  }

  void FactorizedReduce(const std::string& name, int64_t in_channels, int64_t out_channels,
                        int64_t side, absl::string_view tensor) {
    const Conv half{in_channels, out_channels / 2, 1, 1, 2, 2};
    AddConv(absl::StrCat(name, ".conv_1"), half, side, side, tensor);
    AddConv(absl::StrCat(name, ".conv_2"), half, side - 1, side - 1, tensor);
    AddNorm(out_channels);
  }

  void Preprocess(int cell, int input, int64_t in_channels, int64_t out_channels) {
    const std::string name = absl::StrCat("cells.", cell, ".preprocess", input);
    layout_.operations.push_back({name, cell, input, std::nullopt});
    const std::string tensor = OutputName(cell + input - 2);
    if (input == 0 && previous_reduction_) {
      FactorizedReduce(name, in_channels, out_channels, 2 * side1_, tensor);
    } else {
      AddConv(absl::StrCat(name, ".conv"), {in_channels, out_channels}, side1_, side1_, tensor);
      AddNorm(out_channels);
    }
  }

  // A depthwise convolution, then a pointwise one, numbered from `number`, and a normalization.
  void Separable(const std::string& name, int number, int64_t channels, int64_t kernel,
                 int64_t stride, int64_t side, absl::string_view tensor = {}) {
    AddConv(absl::StrCat(name, ".conv", number),
            {channels, channels, kernel, kernel, stride, stride, channels}, side, side, tensor);
    AddConv(absl::StrCat(name, ".conv", number + 1), {channels, channels}, side / stride,
            side / stride);
    AddNorm(channels);
  }

  void Edge(int cell, int position, const GenotypeEdge& edge, int64_t channels, int64_t stride,
            int64_t side) {
    const std::string name = absl::StrCat("cells.", cell, "._ops.", position);
    layout_.operations.push_back({name, cell, position, edge});
    const std::string tensor = absl::StrCat("cells.", cell, ".states.", edge.predecessor);
    const auto sep_conv = [&](int64_t kernel) {
      Separable(name, 1, channels, kernel, stride, side, tensor);
      Separable(name, 3, channels, kernel, 1, side / stride);
    };
    switch (edge.primitive) {
      case Primitive::kNone:
      case Primitive::kMaxPool3x3:
      case Primitive::kAvgPool3x3:
        return;
      case Primitive::kSkipConnect:
        if (stride == 2) FactorizedReduce(name, channels, channels, side, tensor);
        return;
      case Primitive::kSepConv3x3:
        return sep_conv(3);
      case Primitive::kSepConv5x5:
        return sep_conv(5);
      case Primitive::kSepConv7x7:
        return sep_conv(7);
      case Primitive::kDilConv3x3:
        return Separable(name, 1, channels, 3, stride, side, tensor);
      case Primitive::kDilConv5x5:
        return Separable(name, 1, channels, 5, stride, side, tensor);
      case Primitive::kConv7x1_1x7:
        AddConv(absl::StrCat(name, ".conv1"), {channels, channels, 1, 7, 1, stride}, side, side,
                tensor);
        AddConv(absl::StrCat(name, ".conv2"), {channels, channels, 7, 1, stride, 1}, side,
                side / stride);
        AddNorm(channels);
        return;
    }
  }

  void Cell(int i) {
    const bool reduction = IsReductionCell(i, shape_.layers);
    if (reduction) channels_ *= 2;
    const CellGenotype& cell = reduction ? genotype_.reduce : genotype_.normal;
    const CellSite site = {.reduction = reduction,
                           .previous_reduction = previous_reduction_,
                           .input0_channels = channels0_,
                           .input1_channels = channels1_,
                           .channels = channels_,
                           .input1_side = side1_,
                           .output_channels = channels_ * static_cast<int64_t>(cell.concat.size())};
    layout_.cells.push_back(site);
    Preprocess(i, 0, site.input0_channels, channels_);
    Preprocess(i, 1, site.input1_channels, channels_);
    for (size_t e = 0; e < cell.edges.size(); ++e) {
      const bool from_input = cell.edges[e].predecessor < kCellInputs;
      const int64_t stride = reduction && from_input ? 2 : 1;
      Edge(i, e, cell.edges[e], channels_, stride, reduction && !from_input ? side1_ / 2 : side1_);
    }
    previous_reduction_ = reduction;
    channels0_ = channels1_;
    channels1_ = site.output_channels;
    if (reduction) side1_ /= 2;
  }

  // Its average pooling leaves 2x2 pixels.
  void Auxiliary() {
    const size_t first = layout_.float_convs.size();
    const size_t first_quantized = layout_.convs.size();
    const int64_t others = std::exchange(layout_.num_parameters, 0);
    const Conv conv2 = {
        .in_channels = 128, .out_channels = 768, .kernel_h = 2, .kernel_w = 2, .padded = false};
    AddOuterConv("auxiliary_head.features.2",
                 {layout_.cells[AuxiliaryCell(shape_.layers)].output_channels, 128}, 2);
    AddNorm(128);
    AddOuterConv("auxiliary_head.features.5", conv2, 2);
    if (shape_.images == ImageKind::kCifar) AddNorm(768);
    AddClassifier("auxiliary_head.classifier", 768);
    for (size_t i = first; i < layout_.float_convs.size(); ++i) {
      layout_.float_convs[i].auxiliary = true;
    }
    for (size_t i = first_quantized; i < layout_.convs.size(); ++i) {
      layout_.convs[i].auxiliary = true;
    }
    layout_.num_auxiliary_parameters = std::exchange(layout_.num_parameters, others);
  }

  const Genotype& genotype_;
  const NetworkShape& shape_;
  DerivedLayout layout_;
  // Of the next cell.
  int64_t channels_ = shape_.channels;
  int64_t channels0_ = 0, channels1_ = 0;
  int64_t side1_ = 0;
  bool previous_reduction_ = false;
};

}  // namespace

absl::Status NetworkShape::CheckImagesAndClasses() const {
  RETURN_IF_ERROR(CheckRange("classes", classes, 1 << 20));
  return CheckRange("image_side", image_side, 1 << 16);
}

absl::Status NetworkShape::Check() const {
  RETURN_IF_ERROR(CheckRange("channels", channels, 1 << 16));
  RETURN_IF_ERROR(CheckRange("layers", layers, 1000));
  RETURN_IF_ERROR(CheckImagesAndClasses());
  const bool cifar = images == ImageKind::kCifar;
  if (!cifar && channels % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("channels: is ", channels, "; expected an even number for imagenet"));
  }
  // ImageNet's stem halves the side three times, each reduction cell once.
  int64_t factor = cifar ? 1 : 8;
  for (int i = 0; i < layers; ++i) factor *= IsReductionCell(i, layers) ? 2 : 1;
  if (image_side % factor != 0) {
    return absl::InvalidArgumentError(absl::StrCat("image_side: is ", image_side,
                                                   "; expected a multiple of ", factor,
                                                   " for layers ", layers));
  }
  // The head's 5x5 pooling of stride 3 or 2 must leave 2x2 pixels.
  const int64_t smallest = cifar ? 8 : 7, largest = cifar ? 10 : 8;
  const int64_t side = image_side / factor;
  if (auxiliary && (side < smallest || side > largest)) {
    return absl::InvalidArgumentError(absl::StrCat("image_side: is ", image_side, "; expected ",
                                                   smallest * factor, "..", largest * factor,
                                                   " with an auxiliary head"));
  }
  return absl::OkStatus();
}

absl::StatusOr<DerivedLayout> MakeDerivedLayout(const Genotype& genotype,
                                                const NetworkShape& shape) {
  RETURN_IF_ERROR(ValidateGenotype(genotype));
  RETURN_IF_ERROR(shape.Check());
  return LayoutBuilder(genotype, shape).Build();
}

}  // namespace nas
