#include "tools/program/read_weights.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/training/checkpoint.h"
#include "nas/learning/optimizer.h"
#include "nlohmann/json.hpp"

namespace tools {
namespace {

// Of the run that wrote a checkpoint; empty if it does not say.
std::vector<std::string> TrainedClasses(const nlohmann::json& description) {
  const nlohmann::json::json_pointer classes("/identity/data/train/classes");
  return description.value(classes, std::vector<std::string>());
}

}  // namespace

absl::Status ReadWeightsOrCheckpoint(const std::string& path, const base::TensorMap& state,
                                     nas::WeightCompanions* companions,
                                     const std::string& kept_prefix) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return nas::ReadWeights(path, state, companions, kept_prefix);
  }
  ASSIGN_OR_RETURN(const distributed::Checkpoint checkpoint, distributed::ReadCheckpoint(path));
  const absl::Status status = base::CopyState(nas::WithoutOptimizers(checkpoint.state), state);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  if (companions != nullptr) *companions = {.classes = TrainedClasses(checkpoint.description)};
  return absl::OkStatus();
}

}  // namespace tools
