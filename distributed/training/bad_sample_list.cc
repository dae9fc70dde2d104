#include "distributed/training/bad_sample_list.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"

namespace distributed {

absl::Status BadSampleList::Add(const std::string& stream, const std::vector<SkippedSample>& mine,
                                Communicator& communicator) {
  nlohmann::json found = nlohmann::json::array();
  for (const SkippedSample& sample : mine) {
    found.push_back(
        {{"stream", stream}, {"id", sample.id}, {"name", sample.name}, {"reason", sample.reason}});
  }
  // Names of files need not be UTF-8.
  const std::string text = found.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                                      nlohmann::json::error_handler_t::replace);
  ASSIGN_OR_RETURN(const std::vector<std::string> all, AllGatherStrings(communicator, text));
  for (const std::string& list : all) {
    for (const nlohmann::json& entry : nlohmann::json::parse(list)) {
      if (!known_.emplace(stream, entry["id"].get<int64_t>()).second) continue;
      entries_.push_back(entry);
      new_.push_back(entry);
    }
  }
  return absl::OkStatus();
}

absl::Status BadSampleList::Check(int64_t most) const {
  if (most < 0 || size() <= most) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(size(), " samples are damaged, of which ", most,
                                          " may be left out; the first is ",
                                          DescribeSkippedSample(entries_[0])));
}

BadSampleList BadSampleList::FromJson(const nlohmann::json& json) {
  BadSampleList list;
  for (const nlohmann::json& entry : json) {
    list.known_.emplace(entry.at("stream").get<std::string>(), entry.at("id").get<int64_t>());
  }
  list.entries_ = json;
  return list;
}

std::string DescribeSkippedSample(const nlohmann::json& entry) {
  return absl::StrCat(entry["stream"].get<std::string>(), " sample ", entry["id"].dump(), ", ",
                      entry["name"].get<std::string>(), ": ", entry["reason"].get<std::string>());
}

}  // namespace distributed
