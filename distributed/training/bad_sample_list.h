// The damaged samples that a run goes on without, alike on every rank.
#ifndef DISTRIBUTED_TRAINING_BAD_SAMPLE_LIST_H_
#define DISTRIBUTED_TRAINING_BAD_SAMPLE_LIST_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "nlohmann/json.hpp"

namespace distributed {

class BadSampleList {
 public:
  // Adds what every rank has found in `stream` ("train", "evaluation"). Every rank calls it.
  absl::Status Add(const std::string& stream, const std::vector<SkippedSample>& mine,
                   Communicator& communicator);

  // Those added since the last call, as in ToJson.
  nlohmann::json TakeNew() { return std::exchange(new_, nlohmann::json::array()); }

  int64_t size() const { return static_cast<int64_t>(known_.size()); }

  // OK, or DataLoss saying how many there are and what the first is, if they are more than `most`
  // (negative: no bound).
  absl::Status Check(int64_t most) const;

  // A list of {"stream", "id", "name", "reason"}, as they were found.
  const nlohmann::json& ToJson() const { return entries_; }
  static BadSampleList FromJson(const nlohmann::json& json);

 private:
  using Key = std::pair<std::string, int64_t>;  // Stream and id.
  std::set<Key> known_;
  nlohmann::json entries_ = nlohmann::json::array();
  nlohmann::json new_ = nlohmann::json::array();
};

// One of a list's entries, for people.
std::string DescribeSkippedSample(const nlohmann::json& entry);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_BAD_SAMPLE_LIST_H_
