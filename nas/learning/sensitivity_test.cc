#include "nas/learning/sensitivity.h"

#include <memory>
#include <vector>

#include "ATen/ops/arange.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "distributed/communication/single_communicator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/learning/evaluate_network.h"
#include "nas/space/published_genotypes.h"
#include "torch/utils.h"

namespace nas {
namespace {

constexpr int64_t kImages = 12;

class SensitivityTest : public testing::Test {
 protected:
  SensitivityTest() {
    torch::manual_seed(1);
    architecture_ =
        UniformArchitecture(*PublishedGenotype("PC_DARTS_cifar"),
                            {.image_side = 8, .channels = 4, .layers = 3, .classes = 3}, {})
            .value();
    layout_ = MakeDerivedLayout(architecture_.genotype, architecture_.network).value();
    network_ = DerivedNetwork::Create(architecture_).value();
    network_->to(at::kDouble);
    batch_ = {.images = at::randn({kImages, 3, 8, 8}),
              .labels = at::randint(3, {kImages}, at::kLong),
              .sample_ids = at::arange(kImages),
              .global_count = kImages,
              .loss_weight = 1.0 / kImages};
  }

  double LossWith(size_t conv, const ConvBits& bits) {
    Architecture architecture = architecture_;
    architecture.bits[conv] = bits;
    const auto network = DerivedNetwork::Create(architecture).value();
    network->to(at::kDouble);
    const auto from = network_->named_parameters();
    const at::NoGradGuard no_grad;
    for (const auto& item : network->named_parameters()) item.value().copy_(from[item.key()]);
    return EvaluateNetwork(*network, batch_).at("loss").sum.item<double>() / kImages;
  }

  Architecture architecture_;
  DerivedLayout layout_;
  std::shared_ptr<DerivedNetwork> network_;
  distributed::Batch batch_;
  const std::unique_ptr<distributed::Communicator> communicator_ =
      distributed::MakeSingleCommunicator();
};

TEST_F(SensitivityTest, IsTheLossOfNetworksWithOneConvolutionQuantized) {
  const auto measured =
      MeasureSensitivity(*network_, BitCandidates::Both({2, 4}), {batch_}, *communicator_);
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_EQ(measured->images, kImages);
  EXPECT_THAT(measured->pairs,
              testing::ElementsAre(ConvBits{2, 2}, ConvBits{2, 4}, ConvBits{4, 2}, ConvBits{4, 4}));
  ASSERT_EQ(measured->rises.size(), layout_.convs.size());
  for (const size_t conv : {size_t{0}, size_t{5}, layout_.convs.size() - 1}) {
    for (size_t pair = 0; pair < 4; ++pair) {
      EXPECT_NEAR(measured->rises[conv][pair],
                  LossWith(conv, measured->pairs[pair]) - measured->float_loss, 1e-12)
          << conv << " " << pair;
    }
  }
  // The same in two parts.
  distributed::Batch first = batch_, second = batch_;
  first.images = batch_.images.narrow(0, 0, 5), first.labels = batch_.labels.narrow(0, 0, 5);
  second.images = batch_.images.narrow(0, 5, 7), second.labels = batch_.labels.narrow(0, 5, 7);
  const auto parts =
      MeasureSensitivity(*network_, BitCandidates::Both({2, 4}), {first, second}, *communicator_);
  ASSERT_TRUE(parts.ok()) << parts.status();
  EXPECT_NEAR(parts->rises[3][1], measured->rises[3][1], 1e-12);

  EXPECT_EQ(MeasureSensitivity(*network_, BitCandidates::Both({2, 4}), {}, *communicator_)
                .status()
                .code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(SensitivityTest, BitsMeetTheBudgetAndFollowWhatIsSensitive) {
  Sensitivity sensitivity;
  sensitivity.pairs = {{2, 2}, {2, 4}, {4, 2}, {4, 4}};
  sensitivity.rises.assign(layout_.convs.size(), {0.4, 0.3, 0.2, 0.0});
  sensitivity.rises[7] = {9, 9, 9, 0};
  for (const double compression : {200.0, 120.0, 80.0}) {
    const CostTarget target = {.compression = compression};
    const auto bits = BitsFromSensitivity(sensitivity, layout_, target, /*couple=*/false);
    ASSERT_TRUE(bits.ok()) << bits.status();
    EXPECT_LE(target.Excess(layout_, *bits), 1);
    EXPECT_GT(target.Excess(layout_, *bits), 0.98);
    EXPECT_EQ((*bits)[7], (ConvBits{4, 4}));
  }
  const auto none = BitsFromSensitivity(sensitivity, layout_, {.compression = 257}, false);
  EXPECT_EQ(none.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SensitivityTest, CoupledConvolutionsHaveOneActivationWidth) {
  Sensitivity sensitivity;
  sensitivity.pairs = {{2, 2}, {2, 4}, {4, 2}, {4, 4}};
  // Every second convolution would have the other width.
  for (size_t i = 0; i < layout_.convs.size(); ++i) {
    const double even = i % 2;
    sensitivity.rises.push_back({even, even, 1 - even, 1 - even});
  }
  const auto bits = BitsFromSensitivity(sensitivity, layout_, {.compression = 100}, true);
  ASSERT_TRUE(bits.ok()) << bits.status();
  int shared = 0;
  for (size_t i = 0; i < layout_.convs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (layout_.convs[i].tensor != layout_.convs[j].tensor) continue;
      ++shared;
      EXPECT_EQ((*bits)[i].activation, (*bits)[j].activation)
          << layout_.convs[i].name << " and " << layout_.convs[j].name;
    }
  }
  EXPECT_GT(shared, 10);
}

}  // namespace
}  // namespace nas
