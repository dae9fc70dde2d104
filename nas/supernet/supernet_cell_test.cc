#include "nas/supernet/supernet_cell.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/zeros_like.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/device/host_launcher.h"
#include "nas/device/launcher.h"
#include "nas/supernet/architecture_parameters.h"
#include "nas/supernet/precision_parameters.h"
#include "torch/csrc/autograd/autograd.h"
#include "torch/utils.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

using Tensors = std::map<std::string, at::Tensor>;

struct Case {
  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }


  std::string name;
  bool reduction = false;
  bool previous_reduction = false;
  // With 32 among them sums of levels do not cancel out: where they do, the order of the sum decides
  // whether the gradient passes.
  std::vector<int64_t> bits = {2, 4, 32};
  quant::EightBit eight_bit = quant::EightBit::kPublished;
  int64_t channels = 8;
  int64_t partial_channels = 4;
  int64_t height = 8, width = 12;
  int64_t batch = 6;  // More than a task's samples, and no multiple of them.
  bool training = true;
  bool gradients = true;  // Whether they are compared.
};

// A cell of one kind with everything it depends on.
class Example {
 public:
  explicit Example(const Case& c, at::Device device = at::kCPU)
      : case_(c), precision_(CellCount{1, 1}, c.bits) {
    torch::manual_seed(3);
    cell_ = std::make_shared<SupernetCell>(
        SupernetCellOptions{.input0_channels = 6,
                            .input1_channels = 10,
                            .channels = c.channels,
                            .partial_channels = c.partial_channels,
                            .reduction = c.reduction,
                            .previous_reduction = c.previous_reduction,
                            .eight_bit = c.eight_bit,
                            .bits = c.bits});
    cell_->to(at::kDouble);
    architecture_->to(at::kDouble);
    precision_->to(at::kDouble);
    const torch::NoGradGuard no_grad;
    for (at::Tensor& parameter : architecture_->parameters()) parameter.normal_();
    for (at::Tensor& parameter : precision_->parameters()) parameter.normal_();
    for (const auto& buffer : cell_->named_buffers()) {
      if (buffer.key().find("running_mean") != std::string::npos) buffer.value().normal_();
      if (buffer.key().find("running_var") != std::string::npos) buffer.value().uniform_(0.5, 2);
    }
    const int64_t scale = c.previous_reduction ? 2 : 1;
    s0_ = at::randn({c.batch, 6, scale * c.height, scale * c.width}, at::kDouble);
    s1_ = at::randn({c.batch, 10, c.height, c.width}, at::kDouble);
    for (at::Tensor* input : {&s0_, &s1_}) *input = input->to(device).set_requires_grad(true);
    cell_->to(device);
    architecture_->to(device);
    precision_->to(device);
    cell_->train(c.training);
  }

  // The output and the gradients of a weighted sum of it, for everything; then the buffers.
  Tensors Run(bool fused) {
    const CellMixture mixture = case_.reduction ? architecture_->Reduction() : architecture_->Normal();
    const auto probabilities = precision_->Softmax();
    at::Tensor out;
    if (fused) {
      std::string why_not;
      std::optional<at::Tensor> result = cell_->ForwardFused(
          s0_, s1_, mixture, precision_->RowsOfCell(probabilities, case_.reduction, 0), why_not);
      EXPECT_TRUE(result.has_value()) << why_not;
      out = *result;
    } else {
      out = cell_->forward(s0_, s1_, mixture,
                           precision_->OfCell(precision_->Rows(probabilities), case_.reduction, 0));
    }
    torch::manual_seed(7);
    const at::Tensor factors = at::randn(out.sizes(), at::kDouble);
    Tensors variables = {{"s0", s0_}, {"s1", s1_}};
    for (const auto* module : std::initializer_list<torch::nn::Module*>{
             cell_.get(), architecture_.get(), precision_.get()}) {
      for (const auto& parameter : module->named_parameters()) {
        variables[parameter.key()] = parameter.value();
      }
    }
    std::vector<at::Tensor> inputs;
    for (const auto& [name, tensor] : variables) inputs.push_back(tensor);
    const std::vector<at::Tensor> gradients =
        torch::autograd::grad({(out * factors.to(out.device())).sum()}, inputs, {}, std::nullopt, false,
                              /*allow_unused=*/true);
    Tensors result = {{"output", out.detach()}};
    size_t i = 0;
    for (const auto& [name, tensor] : variables) {
      const at::Tensor& gradient = gradients[i++];
      result["gradient of " + name] = gradient.defined() ? gradient : at::zeros_like(tensor);
    }
    for (const auto& buffer : cell_->named_buffers()) {
      result[buffer.key()] = buffer.value().detach().to(at::kDouble, false, /*copy=*/true);
    }
    for (auto& [name, tensor] : result) tensor = tensor.cpu();
    return result;
  }

  std::string WhyNotFused() {
    std::string why_not;
    cell_->ForwardFused(s0_, s1_, architecture_->Normal(),
                        precision_->RowsOfCell(precision_->Softmax(), case_.reduction, 0), why_not);
    return why_not;
  }
  SupernetCell& cell() { return *cell_; }

 private:
  Case case_;
  std::shared_ptr<SupernetCell> cell_;
  ArchitectureParameters architecture_;
  PrecisionParameters precision_;
  at::Tensor s0_, s1_;
};

class FusedCellTest : public testing::TestWithParam<Case> {};

void ExpectNear(const Tensors& expected, const Tensors& got, bool gradients) {
  ASSERT_EQ(expected.size(), got.size());
  for (const auto& [name, tensor] : expected) {
    if (!gradients && absl::StartsWith(name, "gradient")) continue;
    ASSERT_EQ(got.at(name).sizes(), tensor.sizes()) << name;
    const double scale = tensor.abs().max().item<double>() + 1e-3;
    EXPECT_LT((got.at(name) - tensor).abs().max().item<double>() / scale, 1e-9) << name;
  }
}

TEST_P(FusedCellTest, EqualsTheModules) {
  ExpectNear(Example(GetParam()).Run(/*fused=*/false), Example(GetParam()).Run(/*fused=*/true),
             GetParam().gradients);
}

// What CUDA runs, by teams of one thread and of 32, in both orders.
TEST_P(FusedCellTest, KernelsOfADeviceEqualTheModules) {
  Tensors results[3];
  device::HostLauncher launchers[] = {{1, false}, {32, false}, {32, true}};
  for (int i = 0; i < 3; ++i) {
    device::SetLauncher(c10::DeviceType::CPU, &launchers[i]);
    results[i] = Example(GetParam()).Run(/*fused=*/true);
  }
  device::SetLauncher(c10::DeviceType::CPU, nullptr);
  ExpectNear(Example(GetParam()).Run(/*fused=*/false), results[0], GetParam().gradients);
  for (const auto& [name, one] : results[0]) {
    for (const Tensors& others : {results[1], results[2]}) {
      EXPECT_TRUE(at::equal(one, others.at(name))) << name << " depends on the team's threads";
    }
  }
}

TEST_P(FusedCellTest, OnCudaEqualsTheModulesOnTheCpu) {
  if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no CUDA device";
  ExpectNear(Example(GetParam()).Run(/*fused=*/false),
             Example(GetParam(), at::kCUDA).Run(/*fused=*/true), GetParam().gradients);
}

INSTANTIATE_TEST_SUITE_P(
    Cells, FusedCellTest,
    testing::Values(Case{"Normal"}, Case{"Reduction", true}, Case{"BehindReduction", false, true},
                    Case{"Float", true, true, {32}}, Case{"OneWidth", false, false, {4}, quant::EightBit::kPublished, 8, 4, 8, 12, 6, true,
                         /*gradients=*/false},
                    Case{"EightBits", true, true, {2, 4, 8}},
                    Case{"EightBitsOfTheSearch", false, false, {8, 32, 1},
                         quant::EightBit::kPublishedSearch},
                    Case{"SymmetricEightBits", true, false, {3, 8}, quant::EightBit::kSymmetric},
                    Case{"OddSides", false, true, {3, 32}, quant::EightBit::kPublished, 12, 2, 7, 7},
                    Case{"AllChannels", true, false, {2, 32}, quant::EightBit::kPublished, 6, 1},
                    Case{"Evaluation", true, true, {2, 8, 32}, quant::EightBit::kPublished, 8, 4, 8, 12,
                         6, false}),
    [](const auto& info) { return info.param.name; });

TEST(FusedCellTest, ThreadsDoNotChangeABit) {
  const int threads = at::get_num_threads();
  Tensors results[2];
  for (const int count : {1, 2}) {
    at::set_num_threads(count);
    results[count - 1] = Example(Case{.name = "", .reduction = true, .bits = {2, 8}}).Run(true);
  }
  at::set_num_threads(threads);
  for (const auto& [name, one] : results[0]) EXPECT_TRUE(at::equal(one, results[1].at(name))) << name;
}

TEST(FusedCellTest, OddSidesAreNotHalved) {
  Example example(Case{.name = "", .reduction = true, .height = 7});
  EXPECT_THAT(example.WhyNotFused(), HasSubstr("7 x 12"));
}

TEST(FusedCellTest, TooManyWidthsAreNotMixed) {
  Example example(Case{.name = "", .bits = {1, 2, 3, 4, 8}});
  EXPECT_THAT(example.WhyNotFused(), HasSubstr("not 5"));
}

TEST(FusedCellTest, ANormalizationInAnotherModeIsNotFused) {
  Example example(Case{.name = ""});
  for (const auto& module : example.cell().modules()) {
    if (auto* norm = module->as<distributed::BatchNorm2dImpl>()) norm->eval();
  }
  EXPECT_THAT(example.WhyNotFused(), HasSubstr("trains"));
}

TEST(FusedCellTest, ConvolutionsKnowTheirSizes) {
  const Case with_all{.name = "", .reduction = true, .previous_reduction = true};
  Example composed(with_all), fused(with_all);
  composed.Run(false);
  fused.Run(true);
  std::vector<quant::ConvShape> shapes[2];
  for (Example* example : {&composed, &fused}) {
    for (const auto& module : example->cell().modules()) {
      if (const auto* conv = module->as<quant::PrecisionConv2dImpl>()) {
        shapes[example == &fused].push_back(conv->shape());
      }
    }
  }
  ASSERT_EQ(shapes[0].size(), shapes[1].size());
  for (size_t i = 0; i < shapes[0].size(); ++i) {
    EXPECT_EQ(shapes[0][i].in_h, shapes[1][i].in_h) << i;
    EXPECT_EQ(shapes[0][i].in_w, shapes[1][i].in_w) << i;
    EXPECT_EQ(shapes[0][i].out_h, shapes[1][i].out_h) << i;
    EXPECT_EQ(shapes[0][i].out_w, shapes[1][i].out_w) << i;
  }
}

}  // namespace
}  // namespace nas
