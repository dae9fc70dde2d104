#include "nas/derived/derived_network.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/rand.h"
#include "absl/strings/match.h"
#include "c10/core/GradMode.h"
#include "gtest/gtest.h"
#include "nas/derived/architecture.h"
#include "nas/derived/cost_report.h"
#include "nas/derived/derived_layout.h"
#include "nas/operations/drop_path.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/space/published_genotypes.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"
#include "quant/precision_conv.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr NetworkShape kCifar = {.channels = 4, .layers = 4, .auxiliary = true};
constexpr NetworkShape kImageNet = {.images = ImageKind::kImageNet,
                                    .image_side = 224,
                                    .channels = 4,
                                    .layers = 3,
                                    .classes = 12,
                                    .auxiliary = true};

std::shared_ptr<DerivedNetwork> MakeNetwork(const std::string& genotype, const NetworkShape& shape,
                                            const ConvBits& bits) {
  return DerivedNetwork::Create(
             UniformArchitecture(*PublishedGenotype(genotype), shape, bits).value())
      .value();
}

at::Tensor Images(int64_t n, const NetworkShape& shape, at::ScalarType dtype = at::kFloat) {
  return at::rand({n, 3, shape.image_side, shape.image_side}, dtype);
}

// The layout, which files and costs rely on, is the network's own.
void ExpectLayoutOf(DerivedNetwork& network) {
  const Architecture& architecture = network.architecture();
  const DerivedLayout layout =
      MakeDerivedLayout(architecture.genotype, architecture.network).value();
  c10::NoGradGuard no_grad;
  network.forward(Images(2, architecture.network));

  size_t i = 0;
  double macs = 0;
  const bool outside = architecture.network.quantize_stem;
  for (const auto& module : network.named_modules()) {
    const auto* conv = module.value()->as<quant::PrecisionConv2dImpl>();
    if (conv == nullptr || (!outside && !absl::StartsWith(module.key(), "cells."))) continue;
    ASSERT_LT(i, layout.convs.size());
    EXPECT_EQ(module.key(), layout.convs[i].name);
    EXPECT_EQ(conv, network.convs()[i]);
    EXPECT_EQ(conv->shape(), layout.convs[i].shape) << module.key();
    if (!layout.convs[i].auxiliary) {
      macs += conv->parameters()[0].numel() * conv->shape().out_h * conv->shape().out_w;
    }
    ++i;
  }
  EXPECT_EQ(i, layout.convs.size());

  const std::vector<ConvBits> one_bit(layout.convs.size(), ConvBits{1, 1});
  EXPECT_EQ(MakeCostReport(layout, one_bit).exact_cells.cost.bit_ops, macs);

  int64_t parameters = 0, auxiliary_parameters = 0;
  for (const auto& parameter : network.named_parameters()) {
    const bool auxiliary = absl::StartsWith(parameter.key(), "auxiliary_head.");
    (auxiliary ? auxiliary_parameters : parameters) += parameter.value().numel();
  }
  EXPECT_EQ(parameters, layout.num_parameters);
  EXPECT_EQ(auxiliary_parameters, layout.num_auxiliary_parameters);
}

TEST(DerivedNetworkTest, IsWhatItsLayoutSays) {
  for (const char* genotype : {"PC_DARTS_cifar", "DARTS_V2", "NASNet", "AmoebaNet"}) {
    ExpectLayoutOf(*MakeNetwork(genotype, kCifar, {2, 4}));
    NetworkShape quantized = kImageNet;
    quantized.quantize_stem = true;
    ExpectLayoutOf(*MakeNetwork(genotype, quantized, {}));
  }
}

TEST(DerivedNetworkTest, TrainsInBothDtypes) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const auto network = MakeNetwork("QDARTS_CIFAR_1e9", kCifar, {2, 4});
    network->to(dtype);
    const auto output = network->forward(Images(3, kCifar, dtype));
    EXPECT_EQ(output.logits.sizes(), (at::IntArrayRef{3, 10}));
    EXPECT_EQ(output.auxiliary_logits.sizes(), (at::IntArrayRef{3, 10}));
    (output.logits.sum() + output.auxiliary_logits.sum()).backward();
    for (const auto& parameter : network->named_parameters()) {
      ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
      EXPECT_EQ(parameter.value().grad().scalar_type(), dtype);
    }
  }
}

TEST(DerivedNetworkTest, TheAuxiliaryHeadIsForTraining) {
  const auto network = MakeNetwork("DARTS_V1", kCifar, {32, 32});
  network->eval();
  EXPECT_FALSE(network->forward(Images(1, kCifar)).auxiliary_logits.defined());
}

TEST(DerivedNetworkTest, DropPathActsInTrainingOnEverySiteButNoIdentity) {
  const NetworkShape shape = {.channels = 4, .layers = 3};
  const auto network = MakeNetwork("PC_DARTS_image", shape, {});
  // One of three cells is normal; there, two of its eight edges are identities.
  EXPECT_EQ(network->num_drop_path_sites(), 6 + 2 * 8);
  const int64_t sites = network->num_drop_path_sites();
  const at::Tensor images = Images(4, shape);
  const DropPath drop_path{0.5, DropPathMasks(sites, at::arange(4, at::kLong), 1, 0.5)};
  EXPECT_FALSE(
      at::equal(network->forward(images).logits, network->forward(images, drop_path).logits));
  network->eval();
  EXPECT_TRUE(
      at::equal(network->forward(images).logits, network->forward(images, drop_path).logits));
}

// The logits of `architecture` from fixed weights, for fixed images.
at::Tensor Logits(const Architecture& architecture) {
  torch::manual_seed(7);
  const at::Tensor images = Images(2, architecture.network);
  return DerivedNetwork::Create(architecture).value()->forward(images).logits;
}

TEST(DerivedNetworkTest, EveryConvolutionHasItsOwnBits) {
  NetworkShape shape = kCifar;
  shape.quantize_stem = true;
  const Architecture uniform =
      UniformArchitecture(*PublishedGenotype("DARTS_V2"), shape, {2, 2}).value();
  const at::Tensor logits = Logits(uniform);
  EXPECT_TRUE(at::equal(Logits(uniform), logits));
  const DerivedLayout layout = MakeDerivedLayout(uniform.genotype, shape).value();
  EXPECT_EQ(layout.convs.front().name, "stem.0");
  EXPECT_EQ(layout.convs.back().name, "auxiliary_head.features.5");
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    Architecture other = uniform;
    other.bits[i].weight = 4;
    EXPECT_EQ(at::equal(Logits(other), logits), layout.convs[i].auxiliary) << layout.convs[i].name;
  }
}

TEST(DerivedNetworkTest, StemAndHeadHaveTheEightBitQuantizerOfTheCells) {
  for (NetworkShape shape : {kCifar, kImageNet}) {
    shape.quantize_stem = true;
    Architecture architecture =
        UniformArchitecture(*PublishedGenotype("DARTS_V2"), shape, {}).value();
    const DerivedLayout layout = MakeDerivedLayout(architecture.genotype, shape).value();
    int outside = 0;
    for (size_t i = 0; i < layout.convs.size(); ++i) {
      if (layout.convs[i].operation.has_value()) continue;
      ++outside;
      architecture.bits[i] = {8, 8};
      at::Tensor logits[2];  // Also the head's, which only training has.
      for (const bool symmetric : {false, true}) {
        architecture.eight_bit =
            symmetric ? quant::EightBit::kSymmetric : quant::EightBit::kPublished;
        torch::manual_seed(7);
        const at::Tensor images = Images(2, shape) - 0.5;  // Where the two have other levels.
        const auto output = DerivedNetwork::Create(architecture).value()->forward(images);
        logits[symmetric] = at::cat({output.logits, output.auxiliary_logits});
      }
      EXPECT_FALSE(at::equal(logits[0], logits[1])) << layout.convs[i].name;
      architecture.bits[i] = {};
    }
    EXPECT_EQ(outside, shape.images == ImageKind::kCifar ? 3 : 5);
  }
}

}  // namespace
}  // namespace nas
