// Faults planted in the graphs of fixed networks are each caught.

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "nas/networks/network_graph.h"
#include "quant/bit_cost.h"
#include "tests/golden/committed_vectors.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/fixed_network_groups.h"

namespace golden {
namespace {

using nas::ConvRole;
using nas::LayerKind;
using nas::NetworkGraph;
using nas::Node;

constexpr char kResNet[] = "edmips_derived_resnet18_mixed.pt";
constexpr char kGoogLeNet[] = "edmips_derived_googlenet_wmixed_a32.pt";
constexpr char kInception[] = "edmips_derived_inception_v3_wmixed_a32.pt";

bool Passes(const std::string& name, const std::function<void(NetworkGraph&)>& plant) {
  return CheckFile(CommittedFile(name), FixedNetworkGroups({.alter = plant})).passed();
}

// `plant` in every node.
bool PassesWith(const std::string& name, const std::function<void(Node&)>& plant) {
  return Passes(name, [&plant](NetworkGraph& graph) {
    for (Node& node : graph.nodes) plant(node);
  });
}

TEST(FixedNetworkFaultsTest, WithoutFaultsAllPasses) {
  for (const char* name :
       {kResNet, kGoogLeNet, kInception, "torchvision_googlenet.pt", "torchvision_googlenet_aux.pt",
        "torchvision_resnet18.pt", "torchvision_resnet50.pt"}) {
    EXPECT_TRUE(PassesWith(name, [](Node&) {})) << name;
  }
}

TEST(FixedNetworkFaultsTest, PoolsThatCountOtherwise) {
  for (const char* name : {kGoogLeNet, "torchvision_googlenet.pt"}) {
    EXPECT_FALSE(PassesWith(name, [](Node& node) { node.window.ceil_mode = false; })) << name;
  }
  EXPECT_FALSE(PassesWith(kInception, [](Node& node) { node.window.count_include_pad = false; }));
  EXPECT_FALSE(PassesWith(kInception, [](Node& node) {
    if (node.kind == LayerKind::kAveragePool) node.kind = LayerKind::kMaxPool;
  }));
}

TEST(FixedNetworkFaultsTest, NormalizationBeforeThePoolOfTheStem) {
  EXPECT_FALSE(Passes(kResNet, [](NetworkGraph& graph) {
    ASSERT_EQ(graph.nodes[2].kind, LayerKind::kMaxPool);
    std::swap(graph.nodes[2], graph.nodes[3]);
    std::swap(graph.nodes[2].inputs, graph.nodes[3].inputs);
  }));
}

TEST(FixedNetworkFaultsTest, PoolOfWhatIsNormalized) {
  const auto plant = [](NetworkGraph& graph) {
    for (Node& node : graph.nodes) {
      const bool pools = node.kind == LayerKind::kMaxPool || node.kind == LayerKind::kAveragePool;
      if (!pools || node.window.stride[0] != 1) continue;
      const nas::NodeId x = node.inputs[0];
      ASSERT_EQ(graph.nodes[x + 1].kind, LayerKind::kBatchNorm);
      node.inputs[0] = x + 1;
    }
  };
  EXPECT_FALSE(Passes(kGoogLeNet, plant));
  EXPECT_FALSE(Passes(kInception, plant));
}

TEST(FixedNetworkFaultsTest, ShortcutOfWhatIsNotNormalized) {
  EXPECT_FALSE(Passes(kResNet, [](NetworkGraph& graph) {
    for (Node& node : graph.nodes) {
      if (absl::EndsWith(node.path, "downsample.0")) {
        node.inputs = graph.nodes[node.inputs[0]].inputs;
      }
    }
  }));
}

TEST(FixedNetworkFaultsTest, StrideOfABottleneckInItsFirstConvolution) {
  EXPECT_FALSE(PassesWith("torchvision_resnet50.pt", [](Node& node) {
    if (node.path == "layer2.0.conv1") node.window.stride = {2, 2};
    if (node.path == "layer2.0.conv2") node.window.stride = {1, 1};
  }));
}

TEST(FixedNetworkFaultsTest, OtherEpsilon) {
  EXPECT_FALSE(PassesWith(kGoogLeNet, [](Node& node) { node.eps = 1e-5; }));
  EXPECT_FALSE(PassesWith("torchvision_resnet18.pt", [](Node& node) { node.eps = 1e-3; }));
}

TEST(FixedNetworkFaultsTest, FloatActivationsThatAreNotCutOff) {
  EXPECT_FALSE(PassesWith(kGoogLeNet, [](Node& node) {
    if (node.role == ConvRole::kQuantizedRectifier) node.role = ConvRole::kQuantized;
  }));
}

TEST(FixedNetworkFaultsTest, AuxiliaryHeadBehindAnotherBlock) {
  EXPECT_FALSE(Passes("torchvision_googlenet_aux.pt", [](NetworkGraph& graph) {
    nas::NodeId block = 0;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].path == "inception4b") block = static_cast<nas::NodeId>(i);
    }
    for (Node& node : graph.nodes) {
      if (!node.auxiliary || node.kind != LayerKind::kAdaptiveAverage) continue;
      node.inputs = {block};
      return;
    }
  }));
}

TEST(FixedNetworkFaultsTest, BitsInAnotherOrder) {
  GoldenFile file = CommittedFile(kResNet);
  for (const char* list : {"abits_list", "wbits_list"}) {
    file.tensors.at(list) = file.tensors.at(list).flip(0);
  }
  EXPECT_FALSE(CheckFile(file, FixedNetworkGroups()).passed());
  file = CommittedFile("edmips_search_resnet18_random.pt");
  EXPECT_TRUE(CheckFile(file, FixedNetworkGroups()).passed());
  std::swap(file.tensors.at("param/layer1.0.conv1.mix_activ.alpha_activ"),
            file.tensors.at("param/layer1.0.conv2.mix_activ.alpha_activ"));
  EXPECT_FALSE(CheckFile(file, FixedNetworkGroups()).passed());
}

TEST(FixedNetworkFaultsTest, TrueCountsForThePublishedOnes) {
  const GoldenFile file = CommittedFile("edmips_numbers.json");
  EXPECT_TRUE(CheckFile(file, FixedNetworkGroups()).passed());
  EXPECT_FALSE(
      CheckFile(file, FixedNetworkGroups({.published_cost_model = quant::CostModel::kExact}))
          .passed());
}

}  // namespace
}  // namespace golden
