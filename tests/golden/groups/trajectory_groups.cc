#include "tests/golden/groups/trajectory_groups.h"

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ATen/TensorOperators.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "c10/core/GradMode.h"
#include "nas/learning/architect.h"
#include "nas/learning/losses.h"
#include "nas/learning/optimizer.h"
#include "nas/supernet/supernet.h"
#include "nas/weights/published_names.h"
#include "tests/golden/groups/network_weights.h"
#include "torch/nn/utils/clip_grad.h"

namespace golden {
namespace {

constexpr double kFloor = 1e-6;  // Golden values are stored in float32.

// Absolute differences, measured where the producer ran the network twice in float64; else between
// two float32 runs, which agree less.
struct Noise {
  const nlohmann::json& measured;

  explicit Noise(const GoldenFile& file)
      : measured(file.entry.at("tolerance").at("f64_perturbed_1e-12").is_object()
                     ? file.entry.at("tolerance").at("f64_perturbed_1e-12")
                     : file.entry.at("tolerance").at("f32_two_backends")) {}

  double Relative(double absolute, const at::Tensor& expected) const {
    return Tolerance(absolute / expected.abs().max().item<double>(), kFloor);
  }
  double Loss(int step, const at::Tensor& expected) const {
    return Relative(measured.at("loss_per_step").at(step), expected);
  }
  double ArchitectureGradient(const std::string& name) const {
    return Tolerance(measured.at("step0_arch_grad_L2rel").at(name), kFloor);
  }
  double Architecture(const at::Tensor& expected) const {
    return Relative(measured.at("final_arch_absmax"), expected);
  }
  double Gamma(const at::Tensor& expected) const {
    return Relative(measured.at("final_gamma_absmax"), expected);
  }
  double Weights() const { return Tolerance(measured.at("final_param_L2rel_max"), kFloor); }
};

class Trajectory {
 public:
  Trajectory(const GoldenFile& file, const SupernetUnderTest& test)
      : file_(file),
        noise_(file),
        mode_(file.Config("mode")),
        supernet_(MakeSupernet(file, test)),
        weight_optimizer_(nas::NamedParameters(supernet_->network()), Sgd("sgd")),
        gamma_optimizer_(nas::NamedParameters(supernet_->precision()), Sgd("sgd_gamma")),
        architecture_optimizer_(nas::NamedParameters(supernet_->architecture()), Adam()) {}

  void Run(Comparison& comparison) {
    const std::vector<double> rates = file_.Config("lr_per_step");
    for (size_t step = 0; step < rates.size(); ++step) {
      StepArchitecture(step, rates[step], comparison);
      StepWeights(step, rates[step], comparison);
    }
    CheckFinal(comparison);
  }

 private:
  nas::Optimizer::SgdOptions Sgd(const std::string& key) const {
    const nlohmann::json& sgd = file_.Config(key);
    return {.momentum = sgd.at("momentum"), .weight_decay = sgd.at("weight_decay")};
  }

  nas::Optimizer::AdamOptions Adam() const {
    const nlohmann::json& adam = file_.Config("adam_arch");
    return {.beta1 = adam.at("betas").at(0),
            .beta2 = adam.at("betas").at(1),
            .weight_decay = adam.at("weight_decay")};
  }

  at::Tensor Loss(const std::string& prefix, const std::string& suffix) {
    const at::Tensor logits =
        supernet_->Forward(file_.Tensor(prefix + "input" + suffix).to(at::kDouble));
    return nas::CrossEntropy(logits, file_.Tensor(prefix + "target" + suffix));
  }

  // The published look-ahead network has gammas of its own, drawn anew ("as_is").
  void UseRecordedGammas(const std::string& prefix) {
    const c10::NoGradGuard no_grad;
    for (const auto& parameter : supernet_->precision().named_parameters()) {
      parameter->copy_(file_.Tensor(absl::StrCat(prefix, "unrolled_gamma/", parameter.key())));
    }
  }

  std::vector<at::Tensor> ArchitectureGradients(const std::string& prefix, double rate) {
    const nas::AverageFunction one_rank = [](auto, auto) { return absl::OkStatus(); };
    const std::vector<at::Tensor> architecture = supernet_->architecture().parameters();
    if (mode_ != "unrolled") {
      return *nas::FirstOrderGradients([&] { return Loss(prefix, "_search"); }, architecture,
                                       one_rank);
    }
    nas::LookAhead look_ahead{.train_loss = [&] { return Loss(prefix, ""); },
                              .variables = supernet_->weights(),
                              .momentum_buffers = weight_optimizer_.MomentumBuffers(),
                              .buffers = supernet_->network().buffers(),
                              .learning_rate = rate,
                              .momentum = file_.Config("sgd").at("momentum"),
                              .weight_decay = file_.Config("sgd").at("weight_decay")};
    for (const at::Tensor& gamma : supernet_->precision().parameters()) {
      look_ahead.variables.push_back(gamma);
    }
    for (const at::Tensor& buffer : gamma_optimizer_.MomentumBuffers()) {
      look_ahead.momentum_buffers.push_back(buffer);
    }
    const nas::LossFunction search_loss = [&] {
      if (file_.Config("variant") == "as_is") UseRecordedGammas(prefix);
      return Loss(prefix, "_search");
    };
    return *nas::SecondOrderGradients(search_loss, architecture, look_ahead, one_rank);
  }

  void StepArchitecture(int step, double rate, Comparison& comparison) {
    const std::string prefix = absl::StrCat("step", step, "/");
    const std::vector<at::Tensor> gradients = ArchitectureGradients(prefix, rate);
    const auto named = supernet_->architecture().named_parameters();
    for (size_t i = 0; i < gradients.size(); ++i) named[i]->mutable_grad() = gradients[i];
    if (mode_ == "imagenet") {
      torch::nn::utils::clip_grad_norm_(supernet_->architecture().parameters(),
                                        file_.Config("grad_clip").get<double>());
    }
    for (const auto& parameter : named) {
      const std::string key = absl::StrCat(prefix, "f64/arch_grad/", parameter.key());
      comparison.NearL2(key, parameter->grad(), file_.Tensor(key),
                        noise_.ArchitectureGradient(parameter.key()));
    }
    architecture_optimizer_.Step(file_.Config("adam_arch").at("lr"));
    for (const auto& parameter : named) {
      const std::string key = absl::StrCat(prefix, "f64/arch_after/", parameter.key());
      comparison.Near(key, parameter.value(), file_.Tensor(key),
                      noise_.Architecture(file_.Tensor(key)));
      parameter->mutable_grad().reset();
    }
  }

  void StepWeights(int step, double rate, Comparison& comparison) {
    const std::string prefix = absl::StrCat("step", step, "/");
    const at::Tensor logits = supernet_->Forward(file_.Tensor(prefix + "input").to(at::kDouble));
    const at::Tensor cross_entropy = nas::CrossEntropy(logits, file_.Tensor(prefix + "target"));
    const at::Tensor complexity = supernet_->Complexity();
    const at::Tensor loss = cross_entropy + complexity * file_.Config("cd").get<double>();
    const auto near = [&](const std::string& name, const at::Tensor& actual) {
      const at::Tensor& expected = file_.Tensor(prefix + "f64/" + name);
      comparison.Near(prefix + "f64/" + name, actual, expected, noise_.Loss(step, expected));
    };
    near("ce", cross_entropy);
    near("complexity", complexity);
    near("loss", loss);
    near("logits", logits);

    loss.backward();
    const double norm = torch::nn::utils::clip_grad_norm_(supernet_->weights(),
                                                          file_.Config("grad_clip").get<double>());
    comparison.Near(prefix + "f64/grad_norm", norm,
                    file_.Tensor(prefix + "f64/grad_norm").item<double>(), noise_.Weights());
    weight_optimizer_.Step(rate);
    gamma_optimizer_.Step(file_.Config("sgd_gamma").at("lr"));
    for (const auto& [name, tensor] : supernet_->State()) {
      if (tensor.grad().defined()) tensor.mutable_grad().reset();
    }
  }

  void CheckFinal(Comparison& comparison) {
    const base::TensorMap state = supernet_->State();
    for (const auto& [key, expected] : file_.tensors) {
      const bool gamma = absl::StartsWith(key, "final64/gamma/");
      if (!gamma && !absl::StartsWith(key, "final64/arch/")) continue;
      comparison.Near(key, state.at(key.substr(key.rfind('/') + 1)), expected,
                      gamma ? noise_.Gamma(expected) : noise_.Architecture(expected));
    }
    const auto parameters = PublishedParameters(base::ModuleState(supernet_->network()),
                                                nas::PublishedStyle::kQdartsSupernet);
    // Every weight, or every weight's norm.
    const bool norms = file_.tensors.contains("final64/param_l2");
    const at::Tensor& flat = file_.Tensor(norms ? "final64/param_l2" : "final64/param_flat");
    int64_t offset = 0;
    for (const std::string& line : Lines(file_, "final64/param_names")) {
      const std::string name = line.substr(0, line.find(' '));
      const at::Tensor parameter = parameters.at(name).detach();
      const at::Tensor actual = norms ? parameter.norm().reshape(1) : parameter.flatten();
      comparison.NearL2("final64/" + name, actual, flat.slice(0, offset, offset + actual.numel()),
                        noise_.Weights());
      offset += actual.numel();
    }
    comparison.Equal("elements of the final weights", offset, flat.numel());
  }

  const GoldenFile& file_;
  const Noise noise_;
  const std::string mode_;  // "first", "imagenet" or "unrolled"
  std::unique_ptr<nas::Supernet> supernet_;
  nas::Optimizer weight_optimizer_, gamma_optimizer_, architecture_optimizer_;
};

}  // namespace

std::vector<Group> TrajectoryGroups(const SupernetUnderTest& test) {
  return {{"traj_.*\\.pt", [test](const GoldenFile& file, Comparison& comparison) {
             Trajectory(file, test).Run(comparison);
           }}};
}

}  // namespace golden
