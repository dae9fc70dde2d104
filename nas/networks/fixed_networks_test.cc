#include "nas/networks/fixed_networks.h"

#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "nas/networks/network_layout.h"
#include "quant/bit_cost.h"

namespace nas {
namespace {

NetworkLayout LayoutOf(const std::string& name, int64_t classes = 1000) {
  return LayoutOfGraph(FixedNetworkGraph(name, classes).value(), PublishedImageSide(name)).value();
}

// Parameters of all, and multiply-adds and parameters of what is quantized, in millions.
struct Published {
  double parameters, macs, quantized;
};

TEST(FixedNetworksTest, HaveThePublishedSizes) {
  const std::map<std::string, Published> published = {
      {"edmips_resnet18", {11.692456, 1695.5474, 11.157504}},
      {"edmips_resnet50", {25.583272, 3969.1223, 23.445504}},
      {"edmips_googlenet", {7.015144, 1463.6339, 5.956864}},
      {"edmips_inception_v3", {23.850952, 5763.1547, 21.750272}},
      {"resnet18", {11.689512, 1695.5474, 11.157504}},
      {"resnet50", {25.557032, 3969.1223, 23.445504}},
      {"googlenet", {6.624904, 1379.3382, 5.575936}},
      {"inception_v3", {23.834568, 5763.1547, 21.750272}},
  };
  ASSERT_EQ(published.size(), FixedNetworkNames().size());
  for (const std::string& name : FixedNetworkNames()) {
    const NetworkLayout layout = LayoutOf(name);
    double macs = 0, quantized = 0;
    for (const ConvSite& conv : layout.convs) {
      macs += quant::Macs(conv.shape, quant::CostModel::kPublished);
      quantized += quant::Parameters(conv.shape, quant::CostModel::kPublished);
    }
    EXPECT_DOUBLE_EQ(layout.num_parameters * 1e-6, published.at(name).parameters) << name;
    EXPECT_NEAR(macs, published.at(name).macs, 1e-4) << name;
    EXPECT_NEAR(quantized, published.at(name).quantized, 1e-9) << name;
  }
}

TEST(FixedNetworksTest, OnlyTheFirstConvolutionAndTheClassifierStayInFloat) {
  for (const std::string& name : FixedNetworkNames()) {
    const NetworkLayout layout = LayoutOf(name, /*classes=*/7);
    ASSERT_EQ(layout.float_convs.size(), 2u) << name;
    EXPECT_EQ(layout.float_convs[0].shape.in_channels, 3) << name;
    EXPECT_EQ(layout.float_convs[1].name, kFixedClassifier) << name;
    EXPECT_EQ(layout.float_convs[1].shape.out_channels, 7) << name;
  }
}

TEST(FixedNetworksTest, ConvolutionsKnowWhatTheyRead) {
  const auto read_by = [](const std::string& network) {
    std::map<std::string, std::string> tensors;
    for (const ConvSite& conv : LayoutOf(network).convs) tensors[conv.name] = conv.tensor;
    return tensors;
  };
  auto tensors = read_by("edmips_resnet18");
  EXPECT_EQ(tensors.at("layer2.0.conv1"), "layer2.0.bn0");
  EXPECT_EQ(tensors.at("layer2.0.downsample.0"), "layer2.0.bn0");
  EXPECT_EQ(tensors.at("layer2.0.conv2"), "layer2.0.conv2");
  tensors = read_by("googlenet");
  EXPECT_EQ(tensors.at("inception3a.branch1.conv"), tensors.at("inception3a.branch2.0.conv"));
  EXPECT_NE(tensors.at("inception3a.branch1.conv"), tensors.at("inception3b.branch1.conv"));
}

TEST(FixedNetworksTest, PathsAreDifferent) {
  for (const std::string& name : FixedNetworkNames()) {
    std::multiset<std::string> paths;
    const NetworkGraph graph = FixedNetworkGraph(name, 10, /*auxiliary=*/true).value();
    for (const Node& node : graph.nodes) {
      if (node.path.empty()) continue;
      EXPECT_EQ(paths.count(node.path), 0u) << name << " " << node.path;
      paths.insert(node.path);
    }
  }
}

TEST(FixedNetworksTest, OnlyTorchvisionsHaveAuxiliaryHeads) {
  const std::map<std::string, size_t> outputs = {{"googlenet", 3}, {"inception_v3", 2}};
  for (const std::string& name : FixedNetworkNames()) {
    const auto expected = outputs.find(name);
    EXPECT_EQ(FixedNetworkGraph(name, 10, /*auxiliary=*/true)->outputs.size(),
              expected == outputs.end() ? 1 : expected->second)
        << name;
  }
}

TEST(FixedNetworksTest, NamesTheLeastImage) {
  const NetworkGraph graph = FixedNetworkGraph("edmips_inception_v3", 10).value();
  EXPECT_EQ(LayoutOfGraph(graph, 74).status().message(),
            "image_side: is 74; this network takes images of 75 pixels a side or more");
  EXPECT_TRUE(LayoutOfGraph(graph, 75).ok());
  for (const char* name : {"edmips_resnet50", "resnet18"}) {
    EXPECT_TRUE(LayoutOfGraph(FixedNetworkGraph(name, 10).value(), 32).ok()) << name;
  }
}

TEST(FixedNetworksTest, NamesThoseThatThereAre) {
  const std::string message(FixedNetworkGraph("edmips_resnet34", 10).status().message());
  EXPECT_EQ(message.find("'edmips_resnet34' is none of edmips_resnet18, "), 0u) << message;
}

}  // namespace
}  // namespace nas
