#include "tests/golden/groups/network_weights.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "c10/core/GradMode.h"
#include "tests/golden/frame/hash_init.h"

namespace golden {

std::vector<std::string> Lines(const GoldenFile& file, const std::string& key) {
  return absl::StrSplit(file.Text(key), '\n', absl::SkipEmpty());
}

double Tolerance64(const GoldenFile& file, const std::string& quantity) {
  return Tolerance(file.entry.at("tolerance").at(quantity).at("f64_perturbed"), kStored);
}

std::map<std::string, at::Tensor> PublishedParameters(const base::TensorMap& state,
                                                      nas::PublishedStyle style) {
  std::map<std::string, at::Tensor> parameters;
  for (const auto& [ours, published] : nas::PublishedNames(state, style)) {
    const at::Tensor& tensor = state.at(ours);
    if (tensor.requires_grad()) parameters.emplace(published, tensor);
  }
  return parameters;
}

void SetWeights(const GoldenFile& file, const std::map<std::string, at::Tensor>& parameters) {
  const c10::NoGradGuard no_grad;
  const bool hashed = file.tensors.contains("hash_seed");
  const uint64_t seed = hashed ? file.Tensor("hash_seed").item<int64_t>() : 0;
  for (const auto& [name, parameter] : parameters) {
    parameter.copy_(hashed ? HashParameter(name, seed, parameter.sizes())
                           : file.Tensor(absl::StrCat("param/", name)));
  }
}

GoldenFile WithNoise(GoldenFile file, const std::function<bool(const std::string&)>& of,
                     double noise) {
  at::Tensor noises = file.Tensor("gradnoise64").clone();
  const std::vector<std::string> names = Lines(file, "grad_names");
  for (size_t i = 0; i < names.size(); ++i) {
    if (of(names[i])) noises[i] = std::max(noises[i].item<double>(), noise);
  }
  file.tensors["gradnoise64"] = noises;
  return file;
}

void CheckGradientNorms(const GoldenFile& file, const std::map<std::string, at::Tensor>& parameters,
                        Comparison& comparison) {
  const std::vector<std::string> names = Lines(file, "grad_names");
  const at::Tensor& norms = file.Tensor("gradnorm64");
  const at::Tensor& noise = file.Tensor("gradnoise64");
  comparison.Equal("parameters with a gradient", names.size(), parameters.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto found = parameters.find(names[i]);
    if (found == parameters.end()) throw std::invalid_argument(names[i] + " is not in our network");
    if (!found->second.grad().defined()) throw std::invalid_argument(names[i] + " has no gradient");
    comparison.Near(absl::StrCat("gradnorm64 of ", names[i]),
                    found->second.grad().norm().item<double>(), norms[i].item<double>(),
                    Tolerance(noise[i].item<double>(), kStored));
  }
}

}  // namespace golden
