// Metrics summed over steps and ranks.
#ifndef DISTRIBUTED_TRAINING_METRIC_TOTALS_H_
#define DISTRIBUTED_TRAINING_METRIC_TOTALS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/task.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

// Add() is cheap and leaves sums on their device; Reduce() makes them known to every rank.
class MetricTotals {
 public:
  void Add(const Metrics& metrics);

  // Adds what all ranks have added since the last call to the totals, which are alike on all ranks.
  // Every rank calls it. The names may differ: a rank whose share of the samples was empty has
  // none.
  absl::Status Reduce(Communicator& communicator);

  // Adds the totals of `other`.
  void Merge(const MetricTotals& other);

  // The totals' means by name; a metric of count 0 is left out.
  std::map<std::string, double> Means() const;

  // The totals, without what has not been reduced; numbers survive the way through JSON exactly.
  nlohmann::json ToJson() const;
  static MetricTotals FromJson(const nlohmann::json& json);

 private:
  struct Total {
    double sum = 0;
    double count = 0;
  };

  Metrics pending_;  // This rank's, since the last Reduce(); sums are float64.
  std::map<std::string, Total> totals_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_METRIC_TOTALS_H_
