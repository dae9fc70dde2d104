#include "distributed/training/metric_totals.h"

#include <cstdint>

#include "ATen/ops/zeros.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "nlohmann/json.hpp"

namespace distributed {

void MetricTotals::Add(const Metrics& metrics) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, metric] : metrics) {
    Metric& pending = pending_[name];
    const at::Tensor sum = metric.sum.detach().to(at::kDouble);
    pending.sum = pending.sum.defined() ? pending.sum.add(sum) : sum;
    pending.count += metric.count;
  }
}

absl::Status MetricTotals::Reduce(Communicator& communicator) {
  at::Tensor sums = at::zeros({static_cast<int64_t>(pending_.size()), 2}, at::kDouble);
  int64_t row = 0;
  for (const auto& [name, metric] : pending_) {
    sums[row][0].copy_(metric.sum);
    sums[row++][1].fill_(static_cast<double>(metric.count));
  }
  RETURN_IF_ERROR(communicator.AllReduce(sums, ReduceOp::kSum));
  row = 0;
  for (const auto& [name, metric] : pending_) {
    totals_[name].sum += sums[row][0].item<double>();
    totals_[name].count += sums[row++][1].item<double>();
  }
  pending_.clear();
  return absl::OkStatus();
}

void MetricTotals::Merge(const MetricTotals& other) {
  for (const auto& [name, total] : other.totals_) {
    totals_[name].sum += total.sum;
    totals_[name].count += total.count;
  }
}

std::map<std::string, double> MetricTotals::Means() const {
  std::map<std::string, double> means;
  for (const auto& [name, total] : totals_) {
    if (total.count > 0) means[name] = total.sum / total.count;
  }
  return means;
}

nlohmann::json MetricTotals::ToJson() const {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, total] : totals_) json[name] = {total.sum, total.count};
  return json;
}

MetricTotals MetricTotals::FromJson(const nlohmann::json& json) {
  MetricTotals totals;
  for (const auto& item : json.items()) {
    totals.totals_[item.key()] = {item.value().at(0), item.value().at(1)};
  }
  return totals;
}

}  // namespace distributed
