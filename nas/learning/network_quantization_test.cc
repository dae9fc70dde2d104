#include "nas/learning/network_quantization.h"

#include <memory>

#include "ATen/ops/allclose.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/single_communicator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/space/published_genotypes.h"

namespace nas {
namespace {

class PostTrainingTest : public testing::Test {
 protected:
  PostTrainingTest() {
    network_->eval();
    // As with taps: bits are compared.
    network_->set_implementation(Implementation::kComposed);
  }

  at::Tensor Logits() { return network_->forward(images_).logits; }

  const c10::NoGradGuard no_grad_;
  const at::Tensor images_ = at::randn({4, 3, 32, 32});
  const std::shared_ptr<DerivedNetwork> network_ =
      DerivedNetwork::Create(UniformArchitecture(*PublishedGenotype("PC_DARTS_cifar"),
                                                 {.channels = 4, .layers = 3, .auxiliary = true},
                                                 ConvBits{})
                                 .value())
          .value();
};

TEST_F(PostTrainingTest, QuantizesStatisticsAndParametersEachAtTheirBits) {
  const base::TensorMap state = base::ModuleState(*network_);
  base::TensorMap before;
  for (const auto& [name, tensor] : state) before.emplace(name, tensor.clone());
  QuantizeState(state, {.param_bits = 4, .bn_bits = 32});
  EXPECT_TRUE(at::equal(state.at("stem.1.running_mean"), before.at("stem.1.running_mean")));
  EXPECT_TRUE(
      at::equal(state.at("stem.1.num_batches_tracked"), before.at("stem.1.num_batches_tracked")));
  EXPECT_TRUE(at::equal(state.at("classifier.weight"),
                        quant::QuantizePostTraining(before.at("classifier.weight"),
                                                    quant::PostTraining::kLinear, 4)));
}

TEST_F(PostTrainingTest, ManyBitsChangeLittleAndFewBitsMuch) {
  const at::Tensor exact = Logits();
  for (const auto method : {quant::PostTraining::kLinear, quant::PostTraining::kMinMax}) {
    for (const int64_t bits : {20, 3}) {
      OutputQuantizers outputs(*network_, {.method = method, .forward_bits = bits});
      outputs.set_calibrating(true);
      EXPECT_TRUE(at::equal(Logits(), exact));
      outputs.set_calibrating(false);
      EXPECT_EQ(at::allclose(Logits(), exact, 1e-3, 1e-3), bits == 20) << bits;
    }
  }
  EXPECT_TRUE(at::equal(Logits(), exact));  // The taps are gone.
}

TEST_F(PostTrainingTest, SparesFactorizedReducesAndTheAuxiliaryHead) {
  const OutputQuantizers outputs(*network_, {});
  int of_stem = 0;
  for (const auto& layer : outputs.layers()) {
    EXPECT_THAT(layer.name, testing::Not(testing::HasSubstr("conv_1")));
    EXPECT_THAT(layer.name, testing::Not(testing::StartsWith("auxiliary_head")));
    of_stem += layer.name.rfind("stem.", 0) == 0;
  }
  EXPECT_EQ(of_stem, 2);
}

TEST_F(PostTrainingTest, CalibratedOutputsDoNotDependOnTheBatch) {
  network_->to(at::kDouble);  // Where rounding differs with the batch, no value crosses a step.
  // The others are ten times as bright as the image: where levels are the batch's, it has a tenth
  // of them.
  at::Tensor images = images_.to(at::kDouble);
  images.slice(0, 1).mul_(10);
  for (const auto method :
       {quant::PostTraining::kLinear, quant::PostTraining::kMinMax, quant::PostTraining::kLog}) {
    OutputQuantizers outputs(*network_, {.method = method, .forward_bits = 4});
    // Of an image's logits beside others from those it has alone, by the largest of these.
    const auto parting = [&] {
      const at::Tensor beside = network_->forward(images).logits[0];
      const at::Tensor alone = network_->forward(images.slice(0, 0, 1)).logits[0];
      return ((beside - alone).abs().max() / alone.abs().max()).item<double>();
    };
    if (method != quant::PostTraining::kLinear) {
      EXPECT_GT(parting(), 0.1) << "as published";
    }
    outputs.set_calibrating(true);
    network_->forward(images);
    outputs.set_calibrating(false);
    EXPECT_LT(parting(), 1e-12);  // Rounding of float64, some 1e-16 an operation.
  }
}

TEST_F(PostTrainingTest, LevelsWantCalibration) {
  OutputQuantizers outputs(*network_, {});
  const auto communicator = distributed::MakeSingleCommunicator();
  EXPECT_EQ(outputs.AgreeOnLevels(*communicator).message(), "stem.0: saw no calibration batch");
  outputs.set_calibrating(true);
  Logits();
  EXPECT_TRUE(outputs.AgreeOnLevels(*communicator).ok());
}

TEST(PostTrainingOptionsTest, NamesWhatIsWrong) {
  EXPECT_EQ(PostTrainingOptions{.bn_bits = 0}.Check().message(),
            "bn_bits is 0, allowed are 1 or more; from 32 on nothing is quantized");
  EXPECT_EQ(PostTrainingOptions{.overflow_rate = 1}.Check().message(),
            "overflow_rate is 1, allowed are 0 to below 1");
  EXPECT_TRUE(PostTrainingOptions{}.Check().ok());
}

}  // namespace
}  // namespace nas
