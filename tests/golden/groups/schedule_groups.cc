#include "tests/golden/groups/schedule_groups.h"

#include <regex>
#include <set>
#include <string>

#include "ATen/ops/tensor.h"
#include "absl/strings/match.h"
#include "nas/learning/batch_metrics.h"
#include "nas/learning/losses.h"
#include "nas/learning/schedules.h"

namespace golden {
namespace {

using nas::Schedule;

void CheckLosses(const GoldenFile& file, const std::string& prefix, Comparison& comparison) {
  const double tolerance = file.entry.at("tolerance").at("abs");
  const at::Tensor& target = file.Tensor(prefix + "target");
  const double epsilon = file.Tensor(prefix + "epsilon").item<double>();
  const auto check = [&](double smoothing, const std::string& value, const std::string& gradient) {
    const at::Tensor logits =
        file.Tensor(prefix + "logits").detach().clone().set_requires_grad(true);
    const at::Tensor loss = nas::CrossEntropy(logits, target, smoothing);
    comparison.Near(prefix + value, loss, file.Tensor(prefix + value), tolerance);
    loss.backward();
    comparison.Near(prefix + gradient, logits.grad(), file.Tensor(prefix + gradient), tolerance);
  };
  check(epsilon, "loss", "grad/logits");
  check(0, "ce", "grad_ce/logits");
  for (const int k : {1, 5}) {
    const std::string key = prefix + "acc" + std::to_string(k);
    const double percent =
        100.0 * nas::CountTopK(file.Tensor(prefix + "logits"), target, k).item<double>() /
        target.numel();
    comparison.Near(key, percent, file.Tensor(key).item<double>(), tolerance);
  }
}

// Compares the first `epochs` rates of a table.
void CheckRates(const std::string& key, const Schedule& schedule, const at::Tensor& expected,
                int64_t epochs, double tolerance, Comparison& comparison) {
  std::vector<double> rates;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) rates.push_back(schedule.Rate(epoch));
  comparison.Near(key, at::tensor(rates, at::kDouble), expected.slice(0, 0, epochs), tolerance);
}

void CheckLossesAndSchedules(const GoldenFile& file, Comparison& comparison) {
  static const std::regex kLinear("linear_(warmup5_)?([0-9]+)_([0-9.]+)");
  static const std::regex kCosine("(cosine_.*)_T([0-9]+)_lr([0-9.]+)/(.*)");
  const double tolerance = file.entry.at("tolerance").at("abs");
  std::set<std::string> losses;
  for (const auto& [key, table] : file.tensors) {
    std::smatch match;
    if (absl::StartsWith(key, "ls")) {
      losses.insert(key.substr(0, key.find('/') + 1));
    } else if (std::regex_match(key, match, kLinear)) {
      const Schedule schedule{.shape = Schedule::Shape::kLinear,
                              .base = std::stod(match[3]),
                              .epochs = std::stoi(match[2]),
                              .warmup_epochs = match[1].matched ? 5 : 0};
      CheckRates(key, schedule, table, table.numel(), tolerance, comparison);
    } else if (std::regex_match(key, match, kCosine)) {
      // Of "applied" under warm-up only the first epochs are a closed form; "get_lr_eta" is a rate
      // that the published code logs and does not apply.
      const bool warmup = match[4] == "applied" && file.Config(match[1]).at("warmup5");
      if (match[4] == "get_lr_eta") continue;
      const Schedule schedule{.shape = Schedule::Shape::kCosine,
                              .base = std::stod(match[3]),
                              .epochs = std::stoi(match[2]),
                              .warmup_epochs = warmup ? 5 : 0};
      CheckRates(key, schedule, table, warmup ? 5 : table.numel(), tolerance, comparison);
    } else {
      throw std::invalid_argument("unknown table " + key);
    }
  }
  for (const std::string& prefix : losses) CheckLosses(file, prefix, comparison);
}

}  // namespace

std::vector<Group> ScheduleGroups() {
  return {{"losses_schedules.*\\.pt", CheckLossesAndSchedules}};
}

}  // namespace golden
