#include "nas/deployment/cell_graph.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nas/derived/architecture.h"
#include "nas/space/cell_topology.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/space/primitives.h"
#include "torch/nn/modules/conv.h"

namespace nas {
namespace {

std::array<int64_t, 2> PairOf(const torch::ExpandingArray<2>& pair) {
  return {pair->at(0), pair->at(1)};
}

class Describer {
 public:
  Describer(const DerivedNetwork& network, const DerivedLayout& layout)
      : architecture_(network.architecture()),
        layout_(layout),
        modules_(network.named_modules("", /*include_self=*/false)) {
    for (const ConvSite& conv : layout.convs) quantized_.insert(conv.name);
  }

  absl::StatusOr<NetworkGraph> Run() {
    auto [s0, s1] = Stem();
    for (size_t i = 0; i < layout_.cells.size(); ++i) {
      ASSIGN_OR_RETURN(const NodeId output, Cell(i, s0, s1));
      s0 = std::exchange(s1, output);
    }
    graph_.AddOutput(
        graph_.Linear(graph_.AdaptiveAverage(s1, 1), "classifier", architecture_.network.classes));
    return std::move(graph_);
  }

 private:
  // With the window that the module has.
  NodeId Conv(NodeId x, const std::string& name) {
    const auto& options = modules_[name + ".conv"]->as<torch::nn::Conv2dImpl>()->options;
    const Window window = {.kernel = PairOf(options.kernel_size()),
                           .stride = PairOf(options.stride()),
                           .padding = PairOf(std::get<torch::ExpandingArray<2>>(options.padding())),
                           .dilation = PairOf(options.dilation())};
    return graph_.Conv(x, name, options.out_channels(), window,
                       quantized_.count(name) != 0 ? ConvRole::kQuantized : ConvRole::kFloat,
                       options.groups());
  }

  NodeId ReluConvBn(NodeId x, const std::string& conv, const std::string& norm) {
    return graph_.BatchNorm(Conv(graph_.Relu(x), conv), norm);
  }

  std::pair<NodeId, NodeId> Stem() {
    if (architecture_.network.images == ImageKind::kCifar) {
      const NodeId s = graph_.BatchNorm(Conv(NetworkGraph::kImages, "stem.0"), "stem.1");
      return {s, s};
    }
    const NodeId first = graph_.BatchNorm(Conv(NetworkGraph::kImages, "stem0.0"), "stem0.1");
    const NodeId s0 = ReluConvBn(first, "stem0.3", "stem0.4");
    return {s0, ReluConvBn(s0, "stem1.1", "stem1.2")};
  }

  NodeId FactorizedReduce(NodeId x, const std::string& name) {
    x = graph_.Relu(x);
    const NodeId half1 = Conv(x, name + ".conv_1");
    const NodeId half2 = Conv(graph_.DropFirst(x), name + ".conv_2");
    return graph_.BatchNorm(graph_.Concat({half1, half2}, ""), name + ".bn");
  }

  // ReLU, the convolutions `number` and the next one, the normalization `norm`.
  NodeId ConvPair(NodeId x, const std::string& name, int number, const std::string& norm) {
    const NodeId y = Conv(graph_.Relu(x), absl::StrCat(name, ".conv", number));
    return graph_.BatchNorm(Conv(y, absl::StrCat(name, ".conv", number + 1)),
                            absl::StrCat(name, ".", norm));
  }

  NodeId Pool(LayerKind kind, NodeId x, int64_t stride) {
    Window window = Window::Square(3, stride, 1);
    window.count_include_pad = false;
    return graph_.Pool(kind, x, window);
  }

  // No node for kNone, which is zero.
  std::optional<NodeId> Edge(NodeId x, const std::string& name, Primitive primitive,
                             int64_t stride) {
    switch (primitive) {
      case Primitive::kNone:
        return std::nullopt;
      case Primitive::kMaxPool3x3:
        return Pool(LayerKind::kMaxPool, x, stride);
      case Primitive::kAvgPool3x3:
        return Pool(LayerKind::kAveragePool, x, stride);
      case Primitive::kSkipConnect:
        return stride == 1 ? x : FactorizedReduce(x, name);
      case Primitive::kSepConv3x3:
      case Primitive::kSepConv5x5:
      case Primitive::kSepConv7x7:
        return ConvPair(ConvPair(x, name, 1, "bn1"), name, 3, "bn2");
      case Primitive::kDilConv3x3:
      case Primitive::kDilConv5x5:
      case Primitive::kConv7x1_1x7:
        return ConvPair(x, name, 1, "bn");
    }
    return std::nullopt;
  }

  absl::StatusOr<NodeId> Cell(size_t i, NodeId s0, NodeId s1) {
    const CellSite& site = layout_.cells[i];
    const std::string name = absl::StrCat("cells.", i);
    const CellGenotype& genotype =
        site.reduction ? architecture_.genotype.reduce : architecture_.genotype.normal;
    std::vector<NodeId> states;
    for (const auto& [input, x] : {std::pair(0, s0), std::pair(1, s1)}) {
      const std::string own = absl::StrCat(name, ".preprocess", input);
      states.push_back(input == 0 && site.previous_reduction
                           ? FactorizedReduce(x, own)
                           : ReluConvBn(x, own + ".conv", own + ".bn"));
    }
    for (size_t e = 0; e < genotype.edges.size(); e += 2) {
      std::vector<NodeId> terms;
      for (size_t k = e; k < e + 2; ++k) {
        const GenotypeEdge& edge = genotype.edges[k];
        const int64_t stride = site.reduction && edge.predecessor < kCellInputs ? 2 : 1;
        const std::optional<NodeId> term =
            Edge(states[edge.predecessor], absl::StrCat(name, "._ops.", k), edge.primitive, stride);
        if (term.has_value()) terms.push_back(*term);
      }
      if (terms.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(
            name, "._ops.", e, ": both operations of a node are none, which cannot be packed"));
      }
      states.push_back(terms.size() == 1 ? terms[0] : graph_.Add(terms[0], terms[1], ""));
    }
    std::vector<NodeId> outputs;
    for (const int64_t state : genotype.concat) outputs.push_back(states[state]);
    return graph_.Concat(std::move(outputs), "");
  }

  const Architecture& architecture_;
  const DerivedLayout& layout_;
  const torch::OrderedDict<std::string, std::shared_ptr<torch::nn::Module>> modules_;
  std::set<std::string> quantized_;
  NetworkGraph graph_;
};

}  // namespace

absl::StatusOr<NetworkGraph> CellNetworkGraph(const DerivedNetwork& network,
                                              const DerivedLayout& layout) {
  return Describer(network, layout).Run();
}

}  // namespace nas
