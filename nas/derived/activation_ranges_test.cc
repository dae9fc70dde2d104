#include "nas/derived/activation_ranges.h"

#include <limits>
#include <memory>

#include "ATen/ops/allclose.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/single_communicator.h"
#include "gtest/gtest.h"
#include "nas/derived/architecture.h"
#include "nas/space/published_genotypes.h"
#include "torch/utils.h"

namespace nas {
namespace {

std::shared_ptr<DerivedNetwork> Network(ConvBits bits,
                                        quant::EightBit eight_bit = quant::EightBit::kPublished) {
  torch::manual_seed(1);
  Architecture architecture =
      UniformArchitecture(*PublishedGenotype("PC_DARTS_cifar"),
                          {.channels = 4, .layers = 3, .auxiliary = true}, bits)
          .value();
  architecture.eight_bit = eight_bit;
  auto network = DerivedNetwork::Create(architecture).value();
  network->to(at::kDouble);  // Where rounding differs with the batch, no value crosses a step.
  network->eval();
  return network;
}

class ActivationRangesTest : public testing::Test {
 protected:
  void Calibrate(DerivedNetwork& network, int64_t batch) {
    RangeCalibration calibration(network);
    for (const at::Tensor& images : images_.split(batch)) network.forward(images);
    ASSERT_TRUE(calibration.Finish(*communicator_).ok());
  }

  at::Tensor Logits(DerivedNetwork& network, int64_t batch) {
    std::vector<at::Tensor> logits;
    for (const at::Tensor& images : images_.split(batch)) {
      logits.push_back(network.forward(images).logits);
    }
    return at::cat(logits);
  }

  const c10::NoGradGuard no_grad_;
  const at::Tensor images_ = at::randn({8, 3, 32, 32}, at::kDouble);
  const std::unique_ptr<distributed::Communicator> communicator_ =
      distributed::MakeSingleCommunicator();
};

TEST_F(ActivationRangesTest, FixedRangesMakeAnImagesLogitsItsOwn) {
  for (const quant::EightBit eight_bit : quant::kEightBits) {
    const auto network = Network({8, 8}, eight_bit);
    EXPECT_FALSE(HasFixedRanges(*network));
    EXPECT_GT((Logits(*network, 8) - Logits(*network, 1)).abs().max().item<double>(), 1e-6);
    Calibrate(*network, 8);
    EXPECT_TRUE(HasFixedRanges(*network));
    const at::Tensor logits = Logits(*network, 8);
    for (const int64_t batch : {1, 3}) {
      EXPECT_TRUE(at::allclose(Logits(*network, batch), logits, 1e-9, 1e-9)) << batch;
    }
  }
}

TEST_F(ActivationRangesTest, RangesDoNotDependOnHowImagesAreBatched) {
  const auto one = Network({8, 4}), other = Network({8, 4});
  Calibrate(*one, 8);
  Calibrate(*other, 3);
  const base::TensorMap ranges = ActivationRanges(*one), others = ActivationRanges(*other);
  ASSERT_FALSE(ranges.empty());
  for (const auto& [name, range] : ranges) {
    EXPECT_TRUE(at::allclose(range, others.at(name), 1e-9, 1e-9)) << name;
  }
}

TEST_F(ActivationRangesTest, TrainingUsesTheBatchsRanges) {
  const auto network = Network({8, 8});
  const auto logits_in_training = [&] {
    network->train();
    const at::Tensor logits = network->forward(images_).logits;
    network->eval();
    return logits;
  };
  const at::Tensor before = logits_in_training();
  Calibrate(*network, 8);
  EXPECT_TRUE(at::equal(logits_in_training(), before));
}

TEST_F(ActivationRangesTest, MovesBetweenNetworks) {
  const auto from = Network({8, 8}), to = Network({8, 8});
  Calibrate(*from, 4);
  const base::TensorMap ranges = ActivationRanges(*from);
  EXPECT_TRUE(ranges.contains("cells.0.preprocess0.conv.activation_range"));
  for (const auto& [name, range] : ranges) EXPECT_TRUE(IsActivationRange(name)) << name;
  ASSERT_TRUE(SetActivationRanges(*to, ranges).ok());
  EXPECT_TRUE(at::equal(Logits(*to, 2), Logits(*from, 2)));
}

TEST_F(ActivationRangesTest, OnlyEightBitActivationsHaveRanges) {
  const auto network = Network({4, 8});
  EXPECT_FALSE(HasRanges(*network));
  Calibrate(*network, 8);
  EXPECT_TRUE(ActivationRanges(*network).empty());
  EXPECT_TRUE(SetActivationRanges(*network, {}).ok());
}

TEST_F(ActivationRangesTest, NamesWhatIsWrong) {
  const auto network = Network({8, 8});
  Calibrate(*network, 8);
  const std::string name = "cells.0.preprocess0.conv.activation_range";
  const auto error_with = [&](const at::Tensor& range) {
    base::TensorMap ranges = ActivationRanges(*network);
    ranges.erase(name);
    if (range.defined()) ranges.emplace(name, range);
    return std::string(SetActivationRanges(*network, ranges).message());
  };
  const at::Tensor range = ActivationRanges(*network).at(name);
  EXPECT_EQ(error_with({}), name + " is missing");
  EXPECT_EQ(error_with(range[0]), name + " has shape [12], expected [2, 12]");
  EXPECT_EQ(error_with(range.flip(0)),
            name + " is no range: expected numbers, the lower ones in the first row");
  EXPECT_EQ(error_with(range * std::numeric_limits<double>::infinity()),
            name + " is no range: expected numbers, the lower ones in the first row");
}

TEST_F(ActivationRangesTest, CalibrationWantsImages) {
  const auto network = Network({8, 8});
  RangeCalibration calibration(*network);
  EXPECT_EQ(calibration.Finish(*communicator_).message(),
            "cells.0.preprocess0.conv: its activations are not finite, or no calibration batch has "
            "any");
}

}  // namespace
}  // namespace nas
