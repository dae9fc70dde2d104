#include "nas/supernet/supernet.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/tensor.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "quant/precision_conv.h"
#include "torch/csrc/autograd/autograd.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Supernet> Make(const SupernetConfig& config) {
  auto supernet = Supernet::Create(config);
  CHECK(supernet.ok()) << supernet.status();
  (*supernet)->To(at::kDouble);
  return *std::move(supernet);
}

// Small enough to be quick: a normal and two reduction cells.
SupernetConfig Small() { return {.channels = 8, .layers = 3, .bits = {2, 4, 8}}; }

at::Tensor Images(int64_t side = 16) { return at::randn({2, 3, side, side}, at::kDouble); }

TEST(SupernetTest, FloatSupernetHasThePublishedNumberOfParameters) {
  const auto supernet = Make({.bits = {32}});
  int64_t count = 0;
  for (const at::Tensor& weight : supernet->weights()) count += weight.numel();
  EXPECT_EQ(count, 299578);
  EXPECT_TRUE(supernet->precision().parameters().empty());
}

TEST(SupernetTest, NamesAreThePublishedOnes) {
  const auto supernet = Make(Small());
  const base::TensorMap state = supernet->State();
  for (const char* name :
       {"stem.0.conv.weight", "stem.1.running_mean", "cells.0.preprocess0.conv.conv.weight",
        "cells.0._ops.0._ops.1.1.running_var", "cells.1._ops.13._ops.4.conv4.conv.weight",
        "cells.1._ops.0._ops.3.conv_2.conv.weight", "cells.2.preprocess0.conv_1.conv.weight",
        "classifier.bias", "alphas_normal", "gamma_weight_cellr"}) {
    EXPECT_TRUE(state.contains(name)) << name;
  }
}

TEST(SupernetTest, BothKindsGiveLogitsForAnyBits) {
  for (const auto& bits : std::vector<std::vector<int64_t>>{{32}, {2, 4}, {1, 3, 8}}) {
    SupernetConfig config = Small();
    config.bits = bits;
    EXPECT_EQ(Make(config)->Forward(Images()).sizes(), at::IntArrayRef({2, 10}));
    config.images = ImageKind::kImageNet;
    config.partial_channels = 2;
    EXPECT_EQ(Make(config)->Forward(Images(32)).sizes(), at::IntArrayRef({2, 10}));
  }
}

TEST(SupernetTest, StateMovesToAnotherSupernet) {
  const auto a = Make(Small()), b = Make(Small());
  const at::Tensor images = Images();
  a->Forward(images);  // Moves the running statistics.
  const absl::Status loaded = b->LoadState(a->State());
  ASSERT_TRUE(loaded.ok()) << loaded;
  a->network().eval();
  b->network().eval();
  EXPECT_TRUE(at::equal(a->Forward(images), b->Forward(images)));
}

TEST(SupernetTest, DrawnChannelsDecideTrainingAndNotEvaluation) {
  for (const ImageKind images : {ImageKind::kCifar, ImageKind::kImageNet}) {
    SupernetConfig config = Small();
    config.images = images;
    config.random_channels = true;
    const auto supernet = Make(config);
    const at::Tensor x = Images(32);
    const auto logits_of = [&](uint64_t seed) {
      torch::manual_seed(seed);
      supernet->DrawChannels();
      return supernet->Forward(x);
    };
    supernet->network().eval();
    EXPECT_TRUE(at::equal(logits_of(5), logits_of(6)));
    supernet->network().train();
    const at::Tensor drawn = logits_of(5);
    EXPECT_TRUE(at::equal(drawn, supernet->Forward(x)));  // One step's passes are alike.
    EXPECT_FALSE(at::equal(drawn, logits_of(6)));
    EXPECT_TRUE(at::equal(drawn, logits_of(5)));
    for (const at::Tensor& gradient :
         torch::autograd::grad({drawn.square().sum()}, supernet->architecture().parameters())) {
      EXPECT_GT(gradient.abs().min().item<double>(), 0);
    }
  }
}

TEST(SupernetTest, NanInGammasIsNamed) {
  const auto supernet = Make(Small());
  base::TensorMap state = supernet->State();
  at::Tensor gamma = state.at("gamma_activ_celln").detach().clone();
  gamma[0][3][2][1] = std::numeric_limits<double>::quiet_NaN();
  state["gamma_activ_celln"] = gamma;
  EXPECT_THAT(std::string(supernet->LoadState(state).message()),
              HasSubstr("gamma_activ_celln[0, 3, 2, 1] is nan"));
}

// The published sum, convolution by convolution.
double BruteForceComplexity(Supernet& supernet, quant::CostModel model) {
  const base::TensorMap state = supernet.State();
  const std::vector<int64_t>& bits = supernet.config().bits;
  const auto expected_bits = [&](const std::string& role, bool reduction, const std::string& part,
                                 const std::vector<int64_t>& place) {
    at::Tensor gamma = state.at("gamma_" + role + (reduction ? "_cellr" : "_celln") + part);
    for (const int64_t index : place) gamma = gamma[index];
    const at::Tensor p = gamma.exp() / gamma.exp().sum();
    double sum = 0;
    for (size_t i = 0; i < bits.size(); ++i) sum += p[i].item<double>() * bits[i];
    return sum;
  };
  double sum = 0, first = 0;
  int number[2] = {0, 0};
  for (int cell = 0; cell < supernet.config().layers; ++cell) {
    const bool reduction = IsReductionCell(cell, supernet.config().layers);
    const int64_t index = number[reduction]++;
    const std::string prefix = "cells." + std::to_string(cell) + ".";
    for (const auto& named : supernet.network().named_modules("", false)) {
      const auto* conv = named.value()->as<quant::PrecisionConv2dImpl>();
      if (conv == nullptr || !absl::StartsWith(named.key(), prefix)) continue;
      const std::string rest = named.key().substr(prefix.size());
      std::string part;
      std::vector<int64_t> place = {index};
      if (absl::StartsWith(rest, "preprocess")) {
        part = "_" + rest.substr(0, std::string("preprocess0").size());
      } else {
        int edge, primitive;
        CHECK_EQ(sscanf(rest.c_str(), "_ops.%d._ops.%d.", &edge, &primitive), 2) << rest;
        place.push_back(edge);
        place.push_back(std::vector<int>{-1, -1, -1, 5, 0, 1, 2, 3}[primitive]);
      }
      const double macs = quant::Macs(conv->shape(), model);
      if (first == 0) first = macs;
      sum += macs * expected_bits("activ", reduction, part, place) *
             expected_bits("weight", reduction, part, place);
    }
  }
  return sum / first;
}

TEST(SupernetTest, ComplexityIsTheSumOverConvolutions) {
  for (const quant::CostModel model : {quant::CostModel::kExact, quant::CostModel::kPublished}) {
    SupernetConfig config = Small();
    config.cost_model = model;
    const auto supernet = Make(config);
    {
      c10::NoGradGuard no_grad;
      for (at::Tensor& gamma : supernet->precision().parameters()) gamma.normal_();
    }
    supernet->Forward(Images());
    const double expected = BruteForceComplexity(*supernet, model);
    EXPECT_NEAR(supernet->Complexity().item<double>() / expected, 1, 1e-12);
  }
}

TEST(SupernetTest, CostModelsDifferByGroups) {
  SupernetConfig config = Small();
  const auto exact = Make(config);
  config.cost_model = quant::CostModel::kPublished;
  const auto published = Make(config);
  const at::Tensor images = Images();
  exact->Forward(images);
  published->Forward(images);
  EXPECT_LT(exact->Complexity().item<double>(), 0.9 * published->Complexity().item<double>());
}

TEST(SupernetTest, OneCandidateCostsItsBits) {
  SupernetConfig config = Small();
  config.bits = {4};
  const auto four = Make(config);
  config.bits = {2};
  const auto two = Make(config);
  const at::Tensor images = Images();
  four->Forward(images);
  two->Forward(images);
  EXPECT_NEAR(four->Complexity().item<double>() / two->Complexity().item<double>(), 4, 1e-12);
}

TEST(SupernetTest, OnlyExpectedCostReachesTheArchitecture) {
  SupernetConfig config = Small();
  for (const bool expected_cost : {false, true}) {
    config.expected_cost = expected_cost;
    const auto supernet = Make(config);
    supernet->Forward(Images());
    const auto gradients = torch::autograd::grad(
        {supernet->Complexity()}, supernet->architecture().parameters(), {}, std::nullopt, false,
        /*allow_unused=*/true);
    for (const at::Tensor& gradient : gradients) {
      ASSERT_EQ(gradient.defined(), expected_cost);
      if (expected_cost) {
        EXPECT_GT(gradient.abs().max().item<double>(), 0);
      }
    }
  }
}

// All weight on the sep_conv_5x5 of one edge against all on its skip: the costlier one costs more.
TEST(SupernetTest, ExpectedCostFollowsAlpha) {
  SupernetConfig config = Small();
  config.expected_cost = true;
  const auto supernet = Make(config);
  supernet->Forward(Images());
  const at::Tensor alphas = supernet->State().at("alphas_normal").detach();
  const auto cost_of = [&](int primitive) {
    alphas.zero_();
    alphas.select(1, primitive).fill_(50);
    return supernet->Complexity().item<double>();
  };
  EXPECT_GT(cost_of(5), cost_of(4));
  EXPECT_GT(cost_of(4), cost_of(3));
}

TEST(SupernetTest, WrongConfigurationsAreRefused) {
  EXPECT_THAT(std::string(Supernet::Create({.channels = 6}).status().message()),
              HasSubstr("channels is 6"));
}

}  // namespace
}  // namespace nas
