#include "tests/golden/groups/plain_darts_groups.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/softmax.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/learning/losses.h"
#include "nas/operations/operations.h"
#include "nas/operations/stem.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"
#include "nas/supernet/mixed_edge.h"
#include "nas/weights/published_names.h"
#include "quant/lattice.h"
#include "quant/precision.h"
#include "tests/golden/groups/network_weights.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/nn/modules/linear.h"

namespace golden {
namespace {

constexpr int64_t kStemMultiplier = 3;

class PlainCell : public torch::nn::Module {
 public:
  PlainCell(int64_t input0_channels, int64_t input1_channels, int64_t channels, bool reduction,
            bool previous_reduction) {
    const nas::OperationOptions options{.affine = false};
    if (previous_reduction) {
      preprocess_[0] = std::make_shared<nas::FactorizedReduce>(input0_channels, channels, options);
    } else {
      preprocess_[0] = std::make_shared<nas::ReluConvBn>(input0_channels, channels, options);
    }
    preprocess_[1] = std::make_shared<nas::ReluConvBn>(input1_channels, channels, options);
    for (int i = 0; i < nas::kCellInputs; ++i) {
      register_module(absl::StrCat("preprocess", i), preprocess_[i]);
    }
    auto edges = register_module("_ops", std::make_shared<torch::nn::Module>());
    for (int node = 0; node < nas::kCellNodes; ++node) {
      for (int predecessor = 0; predecessor < nas::NumEdges(node); ++predecessor) {
        const int64_t stride = reduction && predecessor < nas::kCellInputs ? 2 : 1;
        const int edge = nas::EdgeIndex(node, predecessor);
        edges_[edge] = edges->register_module(
            std::to_string(edge),
            std::make_shared<nas::MixedEdge>(channels, stride, quant::EightBit::kPublished));
      }
    }
  }

  // `weights`: softmax(alpha), [14, 8].
  at::Tensor forward(const at::Tensor& s0, const at::Tensor& s1, const at::Tensor& weights) {
    const quant::Precision precision = quant::Precision::Float();
    std::array<quant::Precision, nas::kNumGammaRows> rows;
    rows.fill(precision);
    std::vector<at::Tensor> states = {preprocess_[0]->forward(s0, precision),
                                      preprocess_[1]->forward(s1, precision)};
    for (int node = 0; node < nas::kCellNodes; ++node) {
      at::Tensor sum;
      for (int predecessor = 0; predecessor < nas::NumEdges(node); ++predecessor) {
        const int edge = nas::EdgeIndex(node, predecessor);
        std::vector<at::Tensor> outputs;  // Of every primitive but the first, which is zero.
        edges_[edge]->Apply(states[predecessor], rows, outputs);
        for (size_t i = 0; i < outputs.size(); ++i) {
          const at::Tensor term = weights[edge][i + 1] * outputs[i];
          sum = sum.defined() ? sum + term : term;
        }
      }
      states.push_back(sum);
    }
    return at::cat(at::TensorList(states).slice(nas::kCellInputs), /*dim=*/1);
  }

 private:
  std::array<std::shared_ptr<nas::Operation>, nas::kCellInputs> preprocess_;
  std::array<std::shared_ptr<nas::MixedEdge>, nas::kCellEdges> edges_;
};

class PlainSupernet : public torch::nn::Module {
 public:
  PlainSupernet(int64_t channels, int layers, int64_t classes)
      : stem_(register_module("stem", nas::CifarStem(kStemMultiplier * channels))) {
    auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
    int64_t input0 = kStemMultiplier * channels, input1 = input0;
    bool previous_reduction = false;
    for (int i = 0; i < layers; ++i) {
      const bool reduction = nas::IsReductionCell(i, layers);
      if (reduction) channels *= 2;
      cells_.emplace_back(
          cells->register_module(
              std::to_string(i),
              std::make_shared<PlainCell>(input0, input1, channels, reduction, previous_reduction)),
          reduction);
      input0 = std::exchange(input1, nas::kCellNodes * channels);
      previous_reduction = reduction;
    }
    classifier_ = register_module("classifier", torch::nn::Linear(input1, classes));
  }

  at::Tensor forward(const at::Tensor& images, const at::Tensor& alphas_normal,
                     const at::Tensor& alphas_reduce) {
    at::Tensor s0 = stem_->forward(images), s1 = s0;
    const at::Tensor normal = at::softmax(alphas_normal, 1), reduce = at::softmax(alphas_reduce, 1);
    for (const auto& [cell, reduction] : cells_) {
      s0 = std::exchange(s1, cell->forward(s0, s1, reduction ? reduce : normal));
    }
    return classifier_->forward(s1.mean({2, 3}));
  }

 private:
  torch::nn::Sequential stem_;
  std::vector<std::pair<std::shared_ptr<PlainCell>, bool>> cells_;
  torch::nn::Linear classifier_{nullptr};
};

void CheckPlainDarts(const GoldenFile& file, Comparison& comparison) {
  const auto network = std::make_shared<PlainSupernet>(file.Config("C").get<int64_t>(),
                                                       file.Config("layers").get<int>(),
                                                       file.Config("num_classes").get<int64_t>());
  network->to(at::kDouble);
  const auto parameters =
      PublishedParameters(base::ModuleState(*network), nas::PublishedStyle::kPcDarts);
  SetWeights(file, parameters);
  int64_t count = 0;
  for (const auto& [name, parameter] : parameters) count += parameter.numel();
  comparison.Equal("out/param_count", count, file.Tensor("out/param_count").item<int64_t>());

  const auto tolerance = [&](const std::string& quantity) {
    return Tolerance(file.entry.at("tolerance").at(quantity).at("f64_perturbed"), kStored);
  };
  std::map<std::string, at::Tensor> alphas;
  for (const char* name : {"arch/alphas_normal", "arch/alphas_reduce"}) {
    alphas[name] = file.Tensor(name).to(at::kDouble).set_requires_grad(true);
  }
  const auto forward = [&] {
    return network->forward(file.Tensor("input").to(at::kDouble), alphas.at("arch/alphas_normal"),
                            alphas.at("arch/alphas_reduce"));
  };
  const at::Tensor logits = forward();
  const at::Tensor loss = nas::CrossEntropy(logits, file.Tensor("target"));
  comparison.Near("out64/logits", logits, file.Tensor("out64/logits"), tolerance("logits"));
  comparison.Near("out64/loss", loss, file.Tensor("out64/loss"), tolerance("loss"));
  loss.backward();
  CheckGradientNorms(file, parameters, comparison);
  for (const auto& [name, alpha] : alphas) {
    const std::string key = absl::StrCat("grad64/", name);
    comparison.NearL2(key, alpha.grad(), file.Tensor(key), tolerance("loss"));
  }

  const c10::NoGradGuard no_grad;
  network->eval();
  comparison.Near("out64/eval_logits", forward(), file.Tensor("out64/eval_logits"),
                  tolerance("eval"));
}

}  // namespace

std::vector<Group> PlainDartsGroups() { return {{"darts_super_ptq\\.pt", CheckPlainDarts}}; }

}  // namespace golden
