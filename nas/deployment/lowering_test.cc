#include "nas/deployment/lowering.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/randn.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/single_communicator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/deployment/level_comparison.h"
#include "nas/derived/activation_ranges.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/derived_network.h"
#include "nas/networks/fixed_networks.h"
#include "nas/space/image_kind.h"
#include "nas/space/published_genotypes.h"
#include "quant/lattice.h"
#include "quant/runtime/network.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/packed_writer.h"
#include "torch/utils.h"

namespace nas {
namespace {

using testing::HasSubstr;

constexpr NetworkShape kSmall = {.image_side = 12, .channels = 4, .layers = 3, .classes = 5};

// Of the published genotype or fixed network `name`.
Architecture ArchitectureOf(const std::string& name, const NetworkShape& shape,
                            const std::vector<ConvBits>& bits) {
  const auto genotype = PublishedGenotype(name);
  Architecture architecture =
      genotype.ok() ? UniformArchitecture(*genotype, shape, ConvBits()).value()
                    : FixedArchitecture(name, shape.image_side, shape.classes, ConvBits()).value();
  architecture.eight_bit = quant::EightBit::kSymmetric;
  for (size_t i = 0; i < architecture.bits.size(); ++i)
    architecture.bits[i] = bits[i % bits.size()];
  return architecture;
}

// Batch normalizations with statistics of `images`, and scales and shifts of many kinds: a network
// that has not been trained but whose layers do something.
void MakeLively(DerivedNetwork& network, const at::Tensor& images) {
  const c10::NoGradGuard no_grad;
  for (const auto& parameter : network.named_parameters()) {
    const std::string& name = parameter.key();
    const bool classifies =
        absl::StartsWith(name, "classifier") || absl::StartsWith(name, kFixedClassifier);
    if (parameter.value().dim() != 1 || classifies) continue;
    if (absl::EndsWith(name, "weight")) parameter.value().uniform_(-0.5, 1.5);
    if (absl::EndsWith(name, "bias")) parameter.value().normal_(0, 0.5);
  }
  network.train();
  // A momentum of 0.1 forgets what statistics start from.
  for (int i = 0; i < 30; ++i) network.forward(images);
  network.eval();
}

// The published genotype, or the fixed network.
struct Case {
  std::string name;
  NetworkShape shape;
  std::vector<ConvBits> bits;
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name << ", " << given.bits.size() << " kinds of bits";
}

class Lowered : public testing::TestWithParam<Case> {};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const int64_t bits : {1, 2, 3, 4, 5, 6, 7, 8, 32})
    cases.push_back({"PC_DARTS_cifar", kSmall, {{bits, bits}}});
  const std::vector<ConvBits> mixed = {{2, 4}, {4, 2}, {8, 3}, {32, 1}, {3, 32},
                                       {8, 8}, {1, 8}, {5, 7}, {6, 5}};
  cases.push_back({"PC_DARTS_image", kSmall, mixed});
  NetworkShape quantized_stem = kSmall;
  quantized_stem.quantize_stem = true;
  cases.push_back({"DARTS_V1", quantized_stem, {{4, 4}, {1, 2}}});
  // Its operations are 7x1_1x7, and pools and 7x7 separable ones.
  cases.push_back({"NASNet", kSmall, {{4, 4}, {2, 2}}});
  NetworkShape imagenet = kSmall;
  imagenet.images = ImageKind::kImageNet;
  imagenet.image_side = 96;
  imagenet.channels = 6;
  cases.push_back({"AmoebaNet", imagenet, {{2, 4}, {8, 8}}});
  imagenet.quantize_stem = true;
  cases.push_back({"PC_DARTS_image", imagenet, {{8, 8}, {8, 4}}});
  cases.push_back({"PC_DARTS_image", imagenet, {{2, 3}, {3, 32}, {32, 4}}});
  for (const std::string& name : FixedNetworkNames()) {
    NetworkShape least = imagenet;
    least.image_side = absl::StrContains(name, "inception") ? 75 : 33;
    cases.push_back({name, least, mixed});
    if (absl::EndsWith(name, "net18")) {
      cases.push_back({name, least, {{32, 32}}});
      cases.push_back({name, least, {{2, 2}}});
      cases.push_back({name, least, {{8, 8}}});
    }
  }
  return cases;
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  const ConvBits& bits = info.param.bits[0];
  return absl::StrCat(info.param.name, "_", bits.activation, "_", bits.weight, "_", info.index);
}
INSTANTIATE_TEST_SUITE_P(Networks, Lowered, testing::ValuesIn(Cases()), NameOf);

void Calibrate(DerivedNetwork& network, const at::Tensor& images) {
  const c10::NoGradGuard no_grad;
  RangeCalibration calibration(network);
  network.forward(images);
  ASSERT_TRUE(calibration.Finish(*distributed::MakeSingleCommunicator()).ok());
}

DeploymentInput InputOf(const NetworkShape& shape) {
  DeploymentInput input;
  for (int i = 0; i < shape.classes; ++i) input.classes.push_back(absl::StrCat("class ", i));
  return input;
}

TEST_P(Lowered, GivesTheLevelsAndLogitsOfTheNetwork) {
  const Case& given = GetParam();
  torch::manual_seed(3);
  const auto network =
      DerivedNetwork::Create(ArchitectureOf(given.name, given.shape, given.bits)).value();
  const int64_t side = given.shape.image_side;
  MakeLively(*network, at::randn({8, 3, side, side}));
  const at::Tensor images = at::randn({6, 3, side, side});
  Calibrate(*network, images.slice(0, 0, 3));

  const auto packed = LowerNetwork(*network, InputOf(given.shape)).value();
  const auto runtime = quant::runtime::Network::Create(packed).value();
  LevelComparison comparison(*network, *runtime);
  comparison.Add(images.slice(0, 0, 2));
  comparison.Add(images.slice(0, 2));
  const bool floats = given.bits[0] == ConvBits{32, 32};
  EXPECT_EQ(comparison.images(), 6);
  EXPECT_GE(comparison.levels(), floats ? 0 : 1000);
  for (const auto& [name, layer] : comparison.layers()) EXPECT_EQ(layer.different, 0) << name;
  EXPECT_EQ(comparison.different_classes(), 0);
  EXPECT_LT(comparison.largest_difference(), 1e-5);
}

// Another network's levels differ, and so do its logits.
TEST(LevelComparison, TellsNetworksApart) {
  const Architecture architecture = ArchitectureOf("PC_DARTS_cifar", kSmall, {{2, 4}});
  const at::Tensor images = at::randn({4, 3, 12, 12});
  std::vector<std::shared_ptr<DerivedNetwork>> networks;
  for (int i = 0; i < 2; ++i) {
    networks.push_back(DerivedNetwork::Create(architecture).value());
    MakeLively(*networks.back(), images);
  }
  const auto runtime =
      quant::runtime::Network::Create(LowerNetwork(*networks[0], InputOf(kSmall)).value()).value();
  LevelComparison comparison(*networks[1], *runtime);
  comparison.Add(images);
  EXPECT_GT(comparison.different_levels(), comparison.levels() / 100);
  EXPECT_LT(comparison.moved_levels(), comparison.levels() / 1000);
  EXPECT_GT(comparison.largest_difference(), 1e-3);
}

TEST(Lowering, RefusesEightBitsThatAreNotSymmetric) {
  Architecture architecture = ArchitectureOf("PC_DARTS_cifar", kSmall, {{2, 4}, {8, 2}});
  architecture.eight_bit = quant::EightBit::kPublished;
  const auto network = DerivedNetwork::Create(architecture).value();
  const auto packed = LowerNetwork(*network, InputOf(kSmall));
  EXPECT_EQ(packed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(packed.status().message(), HasSubstr("cells.0.preprocess1.conv: its 8 bits are not"));
  EXPECT_THAT(packed.status().message(), HasSubstr("\"eight_bit\": \"symmetric\""));
}

TEST(Lowering, WantsRangesClassesAndFiniteWeights) {
  const auto network =
      DerivedNetwork::Create(ArchitectureOf("PC_DARTS_cifar", kSmall, {{8, 8}})).value();
  EXPECT_THAT(LowerNetwork(*network, InputOf(kSmall)).status().message(),
              HasSubstr("cells.0.preprocess0.conv: the range of its 8-bit activations"));
  EXPECT_THAT(LowerNetwork(*network, {.classes = {"a"}}).status().message(),
              HasSubstr("1 class names, but the network has 5"));
  const c10::NoGradGuard no_grad;
  for (const auto& parameter : network->named_parameters())
    if (parameter.key() == "cells.0.preprocess0.conv.conv.weight")
      parameter.value()[1][0][0][0] = NAN;
  EXPECT_THAT(LowerNetwork(*network, InputOf(kSmall)).status().message(),
              HasSubstr("cells.0.preprocess0.conv: has weights that are not finite"));
}

// The whole file, description and architecture included, of the published network for CIFAR-10.
TEST(Lowering, AFileIsAsSmallAsItsBits) {
  const NetworkShape shape = {.channels = 36, .layers = 20, .classes = 10};
  for (const std::vector<ConvBits>& bits :
       std::vector<std::vector<ConvBits>>{{{2, 2}}, {{4, 4}}, {{2, 4}, {4, 2}, {4, 3}}}) {
    const Architecture architecture = ArchitectureOf("PC_DARTS_cifar", shape, bits);
    const auto network = DerivedNetwork::Create(architecture).value();
    const auto packed = LowerNetwork(*network, InputOf(shape)).value();
    const auto layout = MakeDerivedLayout(architecture.genotype, shape).value();
    double needed = 0;
    for (const auto& parameter : network->named_parameters()) {
      const std::string name = parameter.key().substr(0, parameter.key().rfind(".conv.weight"));
      int64_t weight_bits = 32;  // Of stem, scales, shifts, classifier.
      for (size_t i = 0; i < layout.convs.size(); ++i)
        if (layout.convs[i].name == name) weight_bits = architecture.bits[i].weight;
      needed += parameter.value().numel() * weight_bits / 8.0;
    }
    const double size = quant::runtime::PackedBytesOf(packed)->size();
    EXPECT_LT(size, 1.05 * needed) << "bits " << bits[0].weight << ": " << size << " of " << needed;
  }
}

}  // namespace
}  // namespace nas
