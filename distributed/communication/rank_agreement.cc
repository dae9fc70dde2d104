#include "distributed/communication/rank_agreement.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "ATen/ops/empty.h"
#include "ATen/ops/zeros.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"
#include "xxhash.h"

namespace distributed {
namespace {

at::Tensor FromString(absl::string_view text) {
  at::Tensor bytes = at::empty({static_cast<int64_t>(text.size())}, at::kByte);
  std::copy(text.begin(), text.end(), static_cast<char*>(bytes.data_ptr()));
  return bytes;
}

std::string ToString(const at::Tensor& bytes) {
  return std::string(static_cast<const char*>(bytes.const_data_ptr()), bytes.numel());
}

// A name from outside that is not UTF-8 is no reason to fail.
std::string Dump(const nlohmann::json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                   nlohmann::json::error_handler_t::replace);
}

std::string RankOnHost(int rank, absl::string_view host) {
  return absl::StrCat("on rank ", rank, " (", host, ")");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> AllGatherStrings(Communicator& communicator,
                                                          absl::string_view text) {
  at::Tensor length = at::zeros({1}, at::kLong);
  length.fill_(static_cast<int64_t>(text.size()));
  ASSIGN_OR_RETURN(const at::Tensor lengths, communicator.AllGather(length));
  at::Tensor padded = at::zeros({lengths.max().item<int64_t>()}, at::kByte);
  padded.slice(0, 0, text.size()).copy_(FromString(text));
  ASSIGN_OR_RETURN(const at::Tensor all, communicator.AllGather(padded));
  std::vector<std::string> texts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    texts.push_back(ToString(all[rank].slice(0, 0, lengths[rank].item<int64_t>())));
  }
  return texts;
}

absl::StatusOr<std::string> BroadcastString(Communicator& communicator, absl::string_view text) {
  at::Tensor length = at::zeros({1}, at::kLong);
  length.fill_(static_cast<int64_t>(text.size()));
  RETURN_IF_ERROR(communicator.Broadcast(length, /*root=*/0));
  at::Tensor bytes =
      communicator.rank() == 0 ? FromString(text) : at::empty({length.item<int64_t>()}, at::kByte);
  RETURN_IF_ERROR(communicator.Broadcast(bytes, /*root=*/0));
  return ToString(bytes);
}

absl::Status AgreeOnStatus(Communicator& communicator, const absl::Status& status) {
  // Mostly all is well, which one small reduction tells.
  const at::Tensor failed = at::zeros({1}, at::kLong);
  if (!status.ok()) failed.fill_(1);
  RETURN_IF_ERROR(communicator.AllReduce(failed, ReduceOp::kSum));
  if (failed.item<int64_t>() == 0) return absl::OkStatus();
  const nlohmann::json mine = {{"code", status.raw_code()},
                               {"message", std::string(status.message())},
                               {"host", communicator.place().host}};
  ASSIGN_OR_RETURN(const std::vector<std::string> all,
                   AllGatherStrings(communicator, status.ok() ? "" : Dump(mine)));
  for (int rank = 0; rank < communicator.size(); ++rank) {
    if (all[rank].empty()) continue;
    if (rank == communicator.rank()) return status;
    const nlohmann::json error = nlohmann::json::parse(all[rank]);
    return absl::Status(static_cast<absl::StatusCode>(error["code"].get<int>()),
                        absl::StrCat(RankOnHost(rank, error["host"].get<std::string>()), ": ",
                                     error["message"].get<std::string>()));
  }
  return absl::OkStatus();
}

absl::StatusOr<base::TensorMap> BroadcastTensors(Communicator& communicator,
                                                 const base::TensorMap& tensors) {
  nlohmann::json layout = nlohmann::json::array();
  if (communicator.rank() == 0) {
    for (const auto& [name, tensor] : tensors) {
      layout.push_back({name, static_cast<int>(tensor.scalar_type()), tensor.sizes().vec()});
    }
  }
  ASSIGN_OR_RETURN(const std::string text, BroadcastString(communicator, layout.dump()));
  base::TensorMap received;
  for (const auto& entry : nlohmann::json::parse(text)) {
    const std::string name = entry[0];
    const at::Tensor tensor = communicator.rank() == 0
                                  ? tensors.at(name).detach().cpu().contiguous()
                                  : at::empty(entry[2].get<std::vector<int64_t>>(),
                                              static_cast<at::ScalarType>(entry[1].get<int>()));
    RETURN_IF_ERROR(communicator.Broadcast(tensor, /*root=*/0));
    received.emplace(name, tensor);
  }
  return communicator.rank() == 0 ? tensors : received;
}

std::string JsonDifference(const nlohmann::json& a, absl::string_view in_a, const nlohmann::json& b,
                           absl::string_view in_b) {
  const nlohmann::json flat_a = a.flatten(), flat_b = b.flatten();
  std::set<std::string> paths;
  for (const auto& item : flat_a.items()) paths.insert(item.key());
  for (const auto& item : flat_b.items()) paths.insert(item.key());
  const auto value = [](const nlohmann::json& flat, const std::string& path) {
    return flat.contains(path) ? Dump(flat[path]) : "missing";
  };
  for (const std::string& path : paths) {
    const std::string value_a = value(flat_a, path), value_b = value(flat_b, path);
    if (value_a != value_b) {
      return absl::StrCat(path.substr(1), " is ", value_a, " ", in_a, ", ", value_b, " ", in_b);
    }
  }
  return "";
}

absl::Status RequireSameJson(Communicator& communicator, const nlohmann::json& json) {
  const nlohmann::json mine = {{"host", communicator.place().host}, {"json", json}};
  ASSIGN_OR_RETURN(const std::vector<std::string> all, AllGatherStrings(communicator, Dump(mine)));
  const nlohmann::json first = nlohmann::json::parse(all[0]);
  for (int rank = 1; rank < communicator.size(); ++rank) {
    const nlohmann::json other = nlohmann::json::parse(all[rank]);
    const std::string difference =
        JsonDifference(first["json"], RankOnHost(0, first["host"].get<std::string>()),
                       other["json"], RankOnHost(rank, other["host"].get<std::string>()));
    if (!difference.empty()) {
      return absl::FailedPreconditionError(absl::StrCat("the ranks differ: ", difference));
    }
  }
  return absl::OkStatus();
}

absl::Status RequireSameTensors(Communicator& communicator, const base::TensorMap& tensors) {
  at::Tensor hashes = at::zeros({static_cast<int64_t>(tensors.size())}, at::kLong);
  int64_t index = 0;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor bytes = tensor.detach().cpu().contiguous();
    hashes[index++].fill_(
        static_cast<int64_t>(XXH3_64bits(bytes.const_data_ptr(), bytes.nbytes())));
  }
  ASSIGN_OR_RETURN(const at::Tensor all, communicator.AllGather(hashes));
  index = 0;
  for (const auto& [name, tensor] : tensors) {
    std::vector<int> different;
    for (int rank = 1; rank < communicator.size(); ++rank) {
      if (all[rank][index].item<int64_t>() != all[0][index].item<int64_t>()) {
        different.push_back(rank);
      }
    }
    if (!different.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "tensor ", name, " differs from rank 0's on rank ", absl::StrJoin(different, ", ")));
    }
    ++index;
  }
  return absl::OkStatus();
}

}  // namespace distributed
