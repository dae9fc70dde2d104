#include "tools/program/trained_weights.h"

#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "nas/derived/activation_ranges.h"
#include "tools/flags/data_flags.h"
#include "tools/flags/tool.h"
#include "tools/program/read_weights.h"

DEFINE_string(weights, "",
              "Weight file, of ours or of the published code, or folder of a checkpoint.");

namespace tools {

absl::StatusOr<nas::WeightCompanions> TrainedWeightsFromFlag(nas::DerivedNetwork& network) {
  nas::WeightCompanions companions;
  if (!FLAGS_weights.empty()) {
    RETURN_IF_ERROR(
        ReadWeightsOrCheckpoint(FLAGS_weights, base::ModuleState(network), &companions));
  } else if (!IsDryRun()) {
    return absl::InvalidArgumentError("--weights: trained weights are required");
  }
  return companions;
}

absl::Status RequireTrainedClasses(const nas::WeightCompanions& weights,
                                   const data::Dataset& dataset, const std::string& path,
                                   const distributed::Communicator& communicator) {
  if (FLAGS_weights.empty()) return absl::OkStatus();
  if (!weights.classes.empty()) {
    return RequireSameClasses({absl::StrCat("--test_data=", path), dataset.class_names()},
                              {FLAGS_weights, weights.classes});
  }
  if (communicator.rank() == 0) {
    LOG(INFO) << FLAGS_weights << ": does not say which classes it was trained on: those of "
              << "--test_data=" << path << " are taken for them";
  }
  return absl::OkStatus();
}

absl::Status UseKeptRanges(const nas::WeightCompanions& weights, nas::DerivedNetwork& network) {
  if (FLAGS_weights.empty() || !nas::HasRanges(network)) return absl::OkStatus();
  if (weights.ranges.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(FLAGS_weights,
                     ": has no ranges of the 8-bit activations: evaluate --calibrate finds them, "
                     "--ranges=batch takes each batch's own"));
  }
  const absl::Status status = nas::SetActivationRanges(network, weights.ranges);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(FLAGS_weights, ": ", status.message()));
}

}  // namespace tools
