#include "tests/golden/groups/operation_groups.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros_like.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/operations/operations.h"
#include "nas/space/primitives.h"
#include "quant/bit_cost.h"
#include "quant/precision.h"
#include "quant/precision_conv.h"
#include "torch/nn/module.h"

namespace golden {
namespace {

constexpr double kOneUlp = 2.4e-7;

// One operation of the file, under its own name.
struct Case {
  std::string name;  // "sep_conv_3x3_s2_a2w4"
  std::string kind;  // "sep_conv_3x3"
  int64_t stride = 1;
  quant::Precision precision;

  explicit Case(const std::string& name) : name(name), precision(quant::Precision::Float()) {
    static const std::regex& kForm = *new std::regex("(.*?)(?:_s([12]))?(?:_a(\\d+)w(\\d+))?");
    std::smatch match;
    std::regex_match(name, match, kForm);
    kind = match[1];
    if (match[2].matched) stride = std::stoll(match[2]);
    if (match[3].matched) {
      precision = quant::Precision::Fixed(std::stoll(match[3]), std::stoll(match[4]));
    }
  }
};

struct Subject {
  std::shared_ptr<torch::nn::Module> module;
  std::function<at::Tensor(const at::Tensor& x)> forward;
};

Subject ConvAlone(int64_t in_channels, const at::Tensor& weight, const Case& test_case) {
  quant::PrecisionConv2d conv(
      quant::ConvOptions{.in_channels = in_channels,
                         .out_channels = weight.size(0),
                         .kernel = {weight.size(2), weight.size(3)},
                         .stride = {test_case.stride, test_case.stride},
                         .padding = {weight.size(2) / 2, weight.size(3) / 2},
                         .groups = in_channels / weight.size(1)});
  return {conv.ptr(), [conv, precision = test_case.precision](const at::Tensor& x) mutable {
            return conv->forward(x, precision);
          }};
}

std::shared_ptr<nas::Operation> MakeOperation(const std::string& kind, int64_t in_channels,
                                              int64_t out_channels, int64_t stride) {
  if (kind == "relu_conv_bn") {
    return std::make_shared<nas::ReluConvBn>(in_channels, out_channels, nas::OperationOptions{});
  }
  if (kind == "factorized_reduce") {
    return std::make_shared<nas::FactorizedReduce>(in_channels, out_channels,
                                                   nas::OperationOptions{});
  }
  const auto primitive = nas::ParsePrimitive(kind);
  if (!primitive.ok()) throw std::invalid_argument(primitive.status().ToString());
  return nas::MakeOperation(*primitive, in_channels, stride, {});
}

Subject MakeSubject(const GoldenFile& file, const Case& test_case) {
  const int64_t in_channels = file.Tensor(test_case.name + "/input").size(1);
  if (absl::StartsWith(test_case.kind, "qconv")) {
    return ConvAlone(in_channels, file.Tensor(test_case.name + "/param/conv.weight"), test_case);
  }
  const int64_t out_channels = file.Tensor(test_case.name + "/grad_out").size(1);
  auto operation = MakeOperation(test_case.kind, in_channels, out_channels, test_case.stride);
  return {operation, [operation, precision = test_case.precision](const at::Tensor& x) {
            return operation->forward(x, precision);
          }};
}

// "size_product" and "memory_size" of every convolution, as buffers of the published modules.
void CheckConvSizes(const GoldenFile& file, const std::string& prefix, torch::nn::Module& root,
                    quant::CostModel model, Comparison& comparison) {
  for (const auto& module : root.named_modules()) {
    const auto* conv = module.value()->as<quant::PrecisionConv2dImpl>();
    if (conv == nullptr) continue;
    const std::string key = absl::StrCat(prefix, module.key(), module.key().empty() ? "" : ".");
    comparison.Near(key + "size_product", quant::Macs(conv->shape(), model),
                    file.Tensor(key + "size_product").item<double>(), kOneUlp);
    comparison.Near(key + "memory_size", quant::Activations(conv->shape(), model),
                    file.Tensor(key + "memory_size").item<double>(), kOneUlp);
  }
}

void CheckOperation(const GoldenFile& file, const std::string& name, const DerivedUnderTest& test,
                    Comparison& comparison) {
  const Case test_case(name);
  const Subject subject = MakeSubject(file, test_case);
  subject.module->to(at::kDouble);
  const base::TensorMap state = base::ModuleState(*subject.module);
  {
    const c10::NoGradGuard no_grad;
    for (const auto& [key, tensor] : state) {
      if (tensor.requires_grad()) tensor.copy_(file.Tensor(absl::StrCat(name, "/param/", key)));
    }
  }
  test.alter(*subject.module);

  // Columns: out between two backends and in float32 against float64, then the worst gradient's
  // between two backends, in float32 against float64, and in float64 perturbed.
  const nlohmann::json& noise = file.entry.at("tolerance").at("per_module").at(name);
  const auto column = [&noise](int i) { return std::stod(noise.at(i).get<std::string>()); };
  const double gradient_tolerance = Tolerance(std::max({column(2), column(3), column(4)}), kStored);

  const at::Tensor x =
      file.Tensor(name + "/input").to(at::kDouble, false, /*copy=*/true).set_requires_grad(true);
  const at::Tensor out = subject.forward(x);
  comparison.Near(name + "/out64", out, file.Tensor(name + "/out64"), kStored);
  if (out.requires_grad()) (out * file.Tensor(name + "/grad_out")).sum().backward();
  const auto check_gradient = [&](const std::string& key, const at::Tensor& leaf) {
    comparison.NearL2(key, leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf),
                      file.Tensor(key), gradient_tolerance);
  };
  check_gradient(name + "/grad/input", x);
  for (const auto& [key, tensor] : state) {
    if (tensor.requires_grad()) {
      check_gradient(absl::StrCat(name, "/grad/param/", key), tensor);
    } else if (!absl::EndsWith(key, "num_batches_tracked")) {
      const std::string stored = absl::StrCat(name, "/buffer_after/", key);
      comparison.Near(stored, tensor, file.Tensor(stored), Tolerance(column(1), kStored));
    }
  }
  CheckConvSizes(file, name + "/buffer_after/", *subject.module, test.published_cost_model,
                 comparison);
}

void CheckOperations(const GoldenFile& file, const DerivedUnderTest& test, Comparison& comparison) {
  std::set<std::string> names;
  for (const auto& [key, tensor] : file.tensors) names.insert(key.substr(0, key.find('/')));
  for (const std::string& name : names) CheckOperation(file, name, test, comparison);
}

}  // namespace

std::vector<Group> OperationGroups(const DerivedUnderTest& test) {
  return {{"ops_eval\\.pt", [test](const GoldenFile& file, Comparison& comparison) {
             CheckOperations(file, test, comparison);
           }}};
}

}  // namespace golden
