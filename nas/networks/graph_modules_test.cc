#include "nas/networks/graph_modules.h"

#include <string>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/relu.h"
#include "gtest/gtest.h"
#include "nas/networks/fixed_networks.h"
#include "quant/precision.h"
#include "torch/utils.h"

namespace nas {
namespace {

TEST(GraphModulesTest, EveryNetworkTrainsAtItsLeastImages) {
  torch::manual_seed(0);
  for (const std::string& name : FixedNetworkNames()) {
    torch::nn::Module root;
    GraphModules modules(FixedNetworkGraph(name, 5).value(), root, quant::EightBit::kPublished);
    for (auto* conv : modules.convs()) conv->set_precision(quant::Precision::Fixed(2, 4));
    const int64_t side = PublishedImageSide(name) == 299 ? 75 : 33;
    const auto outputs = modules.Forward(at::randn({2, 3, side, side}));
    ASSERT_EQ(outputs.size(), 1u) << name;
    EXPECT_EQ(outputs[0].sizes(), (at::IntArrayRef{2, 5})) << name;
    outputs[0].sum().backward();
    for (const auto& parameter : root.named_parameters()) {
      EXPECT_TRUE(parameter.value().grad().defined()) << name << " " << parameter.key();
    }
  }
}

TEST(GraphModulesTest, ARectifierCutsNegativeValuesOffAtAnyBits) {
  for (const ConvRole role : {ConvRole::kQuantized, ConvRole::kQuantizedRectifier}) {
    NetworkGraph graph;
    graph.AddOutput(graph.Conv(NetworkGraph::kImages, "block.conv", 4, Window::Square(3), role));
    torch::nn::Module root;
    GraphModules modules(graph, root, quant::EightBit::kPublished);
    const at::Tensor x = at::randn({1, 3, 6, 6});
    const at::Tensor weight = root.named_parameters()["block.conv.conv.weight"];
    EXPECT_EQ(at::equal(modules.Forward(x)[0], at::conv2d(at::relu(x), weight)),
              role == ConvRole::kQuantizedRectifier);
  }
}

TEST(GraphModulesTest, AuxiliaryHeadsRunInTrainingOnly) {
  torch::nn::Module root;
  GraphModules modules(FixedNetworkGraph("inception_v3", 5, true).value(), root,
                       quant::EightBit::kPublished);
  const at::Tensor images = at::randn({2, 3, 299, 299});
  const torch::NoGradGuard no_grad;
  EXPECT_EQ(modules.Forward(images).size(), 2u);
  root.eval();
  EXPECT_EQ(modules.Forward(images).size(), 1u);
}

}  // namespace
}  // namespace nas
