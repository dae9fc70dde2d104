#include "distributed/training/metric_totals.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ATen/ops/zeros.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "c10/core/GradMode.h"
#include "distributed/communication/rank_agreement.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

absl::StatusOr<std::set<std::string>> NamesOfAllRanks(const Metrics& metrics,
                                                      Communicator& communicator) {
  std::string mine;
  for (const auto& [name, metric] : metrics) absl::StrAppend(&mine, name, "\n");
  std::set<std::string> names;
  ASSIGN_OR_RETURN(const std::vector<std::string> all, AllGatherStrings(communicator, mine));
  for (const std::string& text : all) {
    for (const absl::string_view name : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      names.emplace(name);
    }
  }
  return names;
}

}  // namespace

void MetricTotals::Add(const Metrics& metrics) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, metric] : metrics) {
    if (metric.count == 0) continue;  // A mean of nothing need not be a number.
    Metric& pending = pending_[name];
    const at::Tensor sum = metric.sum.detach().to(at::kDouble);
    pending.sum = pending.sum.defined() ? pending.sum.add(sum) : sum;
    pending.count += metric.count;
  }
}

absl::Status MetricTotals::Reduce(Communicator& communicator) {
  ASSIGN_OR_RETURN(const std::set<std::string> names, NamesOfAllRanks(pending_, communicator));
  at::Tensor sums = at::zeros({static_cast<int64_t>(names.size()), 2}, at::kDouble);
  int64_t row = 0;
  for (const std::string& name : names) {
    if (const auto found = pending_.find(name); found != pending_.end()) {
      sums[row][0].copy_(found->second.sum);
      sums[row][1].fill_(static_cast<double>(found->second.count));
    }
    ++row;
  }
  RETURN_IF_ERROR(communicator.AllReduce(sums, ReduceOp::kSum));
  row = 0;
  for (const std::string& name : names) {
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
