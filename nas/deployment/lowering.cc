#include "nas/deployment/lowering.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/data_parallel/batch_norm.h"
#include "distributed/data_parallel/folded_batch_norm.h"
#include "nas/deployment/packed_conv.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/cell_topology.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/space/primitives.h"
#include "nlohmann/json.hpp"
#include "quant/precision_conv.h"
#include "torch/nn/modules/conv.h"
#include "torch/nn/modules/linear.h"

namespace nas {
namespace {

using quant::runtime::Node;
using quant::runtime::Op;
using quant::runtime::PackedNetwork;
using quant::runtime::Window;

// A value of the graph, and what later ones need to know of it.
struct Value {
  uint32_t id;
  int64_t height, width;
};

int32_t OutputSide(int64_t side, int64_t kernel, int64_t stride, int64_t dilation,
                   int64_t padding_before, int64_t padding_after) {
  const int64_t span = side + padding_before + padding_after - dilation * (kernel - 1) - 1;
  return static_cast<int32_t>(span / stride + 1);
}

class Lowering {
 public:
  Lowering(const DerivedNetwork& network, const DerivedLayout& layout)
      : architecture_(network.architecture()),
        layout_(layout),
        modules_(network.named_modules("", /*include_self=*/false)) {
    for (size_t i = 0; i < layout.convs.size(); ++i)
      bits_[layout.convs[i].name] = architecture_.bits[i];
  }

  // The nodes from the image to the logits.
  absl::StatusOr<std::vector<Node>> Run() {
    Value s0, s1;
    RETURN_IF_ERROR(Stem(s0, s1));
    for (size_t i = 0; i < layout_.cells.size(); ++i) {
      ASSIGN_OR_RETURN(const Value output, Cell(i, s0, s1));
      s0 = std::exchange(s1, output);
    }
    const Value mean = Add({.op = Op::kGlobalMean, .inputs = {s1.id}}, 1, 1);
    const auto* linear = modules_["classifier"]->as<torch::nn::LinearImpl>();
    Add({.op = Op::kLinear,
         .name = "classifier",
         .inputs = {mean.id},
         .out_channels = static_cast<int32_t>(architecture_.network.classes),
         .float_weights = FloatsOf(linear->weight),
         .shift = FloatsOf(linear->bias)},
        1, 1);
    return std::move(nodes_);
  }

 private:
  Value Add(Node node, int64_t height, int64_t width) {
    nodes_.push_back(std::move(node));
    return {static_cast<uint32_t>(nodes_.size()), height, width};
  }

  // Channels [first, first + count) of a batch normalization.
  void SetNorm(const std::string& name, int64_t first, int64_t count, Node& node) {
    const auto* norm = modules_[name]->as<distributed::BatchNorm2dImpl>();
    const auto folded = distributed::FoldBatchNorm(norm->weight, norm->bias, norm->running_mean,
                                                   norm->running_var, norm->options.eps());
    node.scale = FloatsOf(folded.scale.slice(0, first, first + count));
    node.shift = FloatsOf(folded.shift.slice(0, first, first + count));
  }

  // The convolution `name` on x, of which the first `skipped` rows and columns are left out; then
  // the batch normalization `norm` unless it is empty, with its channels from `first` on.
  absl::StatusOr<Value> Conv(const std::string& name, const Value& x, bool relu,
                             const std::string& norm, int64_t first = 0, int64_t skipped = 0) {
    const auto* library = modules_[name + ".conv"]->as<torch::nn::Conv2dImpl>();
    const auto* conv = modules_[name]->as<quant::PrecisionConv2dImpl>();
    const auto& options = library->options;
    const auto& padding = std::get<torch::ExpandingArray<2>>(options.padding());
    const auto& kernel = options.kernel_size();
    const auto& stride = options.stride();
    const auto& dilation = options.dilation();
    const auto side = [&](int64_t size, int i) {
      return OutputSide(size, kernel->at(i), stride->at(i), dilation->at(i),
                        padding->at(i) - skipped, padding->at(i));
    };
    Node node = {.op = Op::kConv,
                 .name = name,
                 .inputs = {x.id},
                 .window = {.kernel_h = static_cast<int32_t>(kernel->at(0)),
                            .kernel_w = static_cast<int32_t>(kernel->at(1)),
                            .stride_h = static_cast<int32_t>(stride->at(0)),
                            .stride_w = static_cast<int32_t>(stride->at(1)),
                            .pad_top = static_cast<int32_t>(padding->at(0) - skipped),
                            .pad_left = static_cast<int32_t>(padding->at(1) - skipped),
                            .dilation_h = static_cast<int32_t>(dilation->at(0)),
                            .dilation_w = static_cast<int32_t>(dilation->at(1)),
                            .out_h = side(x.height, 0),
                            .out_w = side(x.width, 1)},
                 .out_channels = static_cast<int32_t>(options.out_channels()),
                 .groups = static_cast<int32_t>(options.groups()),
                 .relu = relu};
    const auto bits = bits_.find(name);
    RETURN_IF_ERROR(SetConvArithmetic(library->weight, conv->fixed_range(),
                                      bits == bits_.end() ? ConvBits() : bits->second,
                                      architecture_.eight_bit, node));
    if (!norm.empty()) SetNorm(norm, first, node.out_channels, node);
    const Window window = node.window;
    return Add(std::move(node), window.out_h, window.out_w);
  }

  absl::Status Stem(Value& s0, Value& s1) {
    const int64_t side = architecture_.network.image_side;
    const Value image = {0, side, side};
    if (architecture_.network.images == ImageKind::kCifar) {
      ASSIGN_OR_RETURN(s0, Conv("stem.0", image, /*relu=*/false, "stem.1"));
      s1 = s0;
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const Value first, Conv("stem0.0", image, /*relu=*/false, "stem0.1"));
    ASSIGN_OR_RETURN(s0, Conv("stem0.3", first, /*relu=*/true, "stem0.4"));
    ASSIGN_OR_RETURN(s1, Conv("stem1.1", s0, /*relu=*/true, "stem1.2"));
    return absl::OkStatus();
  }

  absl::StatusOr<Value> FactorizedReduce(const std::string& name, const Value& x) {
    ASSIGN_OR_RETURN(const Value half1, Conv(name + ".conv_1", x, /*relu=*/true, name + ".bn"));
    const int64_t channels = nodes_.back().out_channels;
    ASSIGN_OR_RETURN(const Value half2, Conv(name + ".conv_2", x, /*relu=*/true, name + ".bn",
                                             channels, /*skipped=*/1));
    return Add({.op = Op::kConcat, .inputs = {half1.id, half2.id}}, half1.height, half1.width);
  }

  absl::StatusOr<Value> ConvPair(const std::string& name, int number, const std::string& norm,
                                 const Value& x) {
    ASSIGN_OR_RETURN(const Value y,
                     Conv(absl::StrCat(name, ".conv", number), x, /*relu=*/true, ""));
    return Conv(absl::StrCat(name, ".conv", number + 1), y, /*relu=*/false,
                absl::StrCat(name, ".", norm));
  }

  Value Pool(Op op, int64_t stride, const Value& x) {
    const auto side = [&](int64_t size) { return OutputSide(size, 3, stride, 1, 1, 1); };
    const Window window = {.kernel_h = 3,
                           .kernel_w = 3,
                           .stride_h = static_cast<int32_t>(stride),
                           .stride_w = static_cast<int32_t>(stride),
                           .pad_top = 1,
                           .pad_left = 1,
                           .out_h = side(x.height),
                           .out_w = side(x.width)};
    return Add({.op = op, .inputs = {x.id}, .window = window}, window.out_h, window.out_w);
  }

  // No value for kNone, which is zero.
  absl::StatusOr<std::optional<Value>> Edge(const std::string& name, Primitive primitive,
                                            int64_t stride, const Value& x) {
    switch (primitive) {
      case Primitive::kNone:
        return std::nullopt;
      case Primitive::kMaxPool3x3:
        return Pool(Op::kMaxPool, stride, x);
      case Primitive::kAvgPool3x3:
        return Pool(Op::kAvgPool, stride, x);
      case Primitive::kSkipConnect:
        if (stride == 1) return x;
        return FactorizedReduce(name, x);
      case Primitive::kSepConv3x3:
      case Primitive::kSepConv5x5:
      case Primitive::kSepConv7x7: {
        ASSIGN_OR_RETURN(const Value first, ConvPair(name, 1, "bn1", x));
        return ConvPair(name, 3, "bn2", first);
      }
      case Primitive::kDilConv3x3:
      case Primitive::kDilConv5x5:
      case Primitive::kConv7x1_1x7:
        return ConvPair(name, 1, "bn", x);
    }
    return absl::InvalidArgumentError(absl::StrCat(name, ": an operation that cannot be packed"));
  }

  absl::StatusOr<Value> Cell(size_t i, const Value& s0, const Value& s1) {
    const CellSite& site = layout_.cells[i];
    const std::string name = absl::StrCat("cells.", i);
    const CellGenotype& genotype =
        site.reduction ? architecture_.genotype.reduce : architecture_.genotype.normal;
    const auto preprocess = [&](int input, const Value& x) {
      const std::string own = absl::StrCat(name, ".preprocess", input);
      return input == 0 && site.previous_reduction
                 ? FactorizedReduce(own, x)
                 : Conv(own + ".conv", x, /*relu=*/true, own + ".bn");
    };
    std::vector<Value> states;
    for (const auto& [input, x] : {std::pair(0, s0), std::pair(1, s1)}) {
      ASSIGN_OR_RETURN(const Value state, preprocess(input, x));
      states.push_back(state);
    }
    for (size_t e = 0; e < genotype.edges.size(); e += 2) {
      std::vector<Value> terms;
      for (size_t k = e; k < e + 2; ++k) {
        const GenotypeEdge& edge = genotype.edges[k];
        const int64_t stride = site.reduction && edge.predecessor < kCellInputs ? 2 : 1;
        ASSIGN_OR_RETURN(const std::optional<Value> term,
                         Edge(absl::StrCat(name, "._ops.", k), edge.primitive, stride,
                              states[edge.predecessor]));
        if (term) terms.push_back(*term);
      }
      if (terms.empty())
        return absl::InvalidArgumentError(absl::StrCat(
            name, "._ops.", e, ": both operations of a node are none, which cannot be packed"));
      states.push_back(terms.size() == 1
                           ? terms[0]
                           : Add({.op = Op::kAdd, .inputs = {terms[0].id, terms[1].id}},
                                 terms[0].height, terms[0].width));
    }
    Node concat = {.op = Op::kConcat};
    for (const int64_t state : genotype.concat) concat.inputs.push_back(states[state].id);
    return Add(std::move(concat), states.back().height, states.back().width);
  }

  const Architecture& architecture_;
  const DerivedLayout& layout_;
  const torch::OrderedDict<std::string, std::shared_ptr<torch::nn::Module>> modules_;
  std::map<std::string, ConvBits> bits_;
  std::vector<Node> nodes_;
};

// Without the bits, which the nodes have, and what follows from these for each convolution.
std::string ArchitectureText(const Architecture& architecture) {
  auto json = nlohmann::ordered_json::parse(ArchitectureToText(architecture));
  json.erase("bits");
  json["cost"].erase("convolutions");
  return json.dump();
}

}  // namespace

absl::StatusOr<PackedNetwork> LowerNetwork(const DerivedNetwork& network,
                                           const DeploymentInput& input) {
  const Architecture& architecture = network.architecture();
  const NetworkShape& shape = architecture.network;
  if (!architecture.fixed_network.empty()) {
    return absl::UnimplementedError(absl::StrCat(
        architecture.fixed_network, ": is no network of cells, which alone are packed"));
  }
  if (static_cast<int64_t>(input.classes.size()) != shape.classes)
    return absl::InvalidArgumentError(
        absl::StrCat(input.classes.size(), " class names, but the network has ", shape.classes));
  ASSIGN_OR_RETURN(const DerivedLayout layout, MakeDerivedLayout(architecture.genotype, shape));
  PackedNetwork packed = {.architecture = ArchitectureText(architecture),
                          .classes = input.classes,
                          .height = static_cast<int32_t>(shape.image_side),
                          .width = static_cast<int32_t>(shape.image_side),
                          .mean = input.mean,
                          .std = input.std};
  if (shape.images == ImageKind::kImageNet) {
    packed.preparation = quant::runtime::Preparation::kCenterCrop;
    packed.crop = input.crop;
  }
  ASSIGN_OR_RETURN(packed.nodes, Lowering(network, layout).Run());
  RETURN_IF_ERROR(quant::runtime::CheckNetwork(packed));
  return packed;
}

}  // namespace nas
