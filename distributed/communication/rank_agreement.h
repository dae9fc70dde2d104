// What the ranks of a job must agree on, and how they find out: errors, configuration, state.
#ifndef DISTRIBUTED_COMMUNICATION_RANK_AGREEMENT_H_
#define DISTRIBUTED_COMMUNICATION_RANK_AGREEMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "nlohmann/json_fwd.hpp"

namespace distributed {

// Every rank's `text`, in order of rank.
absl::StatusOr<std::vector<std::string>> AllGatherStrings(Communicator& communicator,
                                                          absl::string_view text);

// Rank 0's `text` on every rank.
absl::StatusOr<std::string> BroadcastString(Communicator& communicator, absl::string_view text);

// OK if `status` is OK on every rank; else, on every rank, the error of the lowest rank that has
// one, and on other ranks also that rank and its host.
absl::Status AgreeOnStatus(Communicator& communicator, const absl::Status& status);

// Gives rank 0's `tensors` (any device) to every rank, as CPU tensors; on rank 0 they are returned
// as they are.
absl::StatusOr<base::TensorMap> BroadcastTensors(Communicator& communicator,
                                                 const base::TensorMap& tensors);

// FailedPrecondition if `json` differs between ranks; names the first value that does, as a path,
// and both values with the ranks and hosts they come from.
absl::Status RequireSameJson(Communicator& communicator, const nlohmann::json& json);

// The first difference between two JSON objects as "<path> is <a> <in_a>, <b> <in_b>"; "" if they
// are equal.
std::string JsonDifference(const nlohmann::json& a, absl::string_view in_a, const nlohmann::json& b,
                           absl::string_view in_b);

// FailedPrecondition if any tensor differs in a bit between ranks (compared by XXH3 hash); names
// the first one by name and the ranks whose tensor differs from rank 0's.
absl::Status RequireSameTensors(Communicator& communicator, const base::TensorMap& tensors);

}  // namespace distributed

#endif  // DISTRIBUTED_COMMUNICATION_RANK_AGREEMENT_H_
