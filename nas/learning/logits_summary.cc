#include "nas/learning/logits_summary.h"

#include <cmath>
#include <cstdlib>

#include "ATen/core/Tensor.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

nlohmann::json Rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(absl::StrFormat("%.6g", value).c_str(), nullptr);
}

nlohmann::json Nested(const at::Tensor& values) {
  if (values.dim() == 0) return Rounded(values.item<double>());
  nlohmann::json list = nlohmann::json::array();
  if (values.dim() == 1) {  // No tensor for each of thousands of entries.
    const double* value = values.data_ptr<double>();
    for (int64_t i = 0; i < values.numel(); ++i) list.push_back(Rounded(value[i]));
  } else {
    for (const at::Tensor& row : values.unbind()) list.push_back(Nested(row));
  }
  return list;
}

}  // namespace

nlohmann::json LogitsSummary(std::initializer_list<const torch::nn::Module*> modules) {
  nlohmann::json summary = nlohmann::json::object();
  for (const torch::nn::Module* module : modules) {
    for (const auto& item : module->named_parameters()) {
      summary[item.key()] = Nested(item.value().detach().to(at::kCPU, at::kDouble).contiguous());
    }
  }
  return summary;
}

}  // namespace nas
