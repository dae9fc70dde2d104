#include "tools/program/read_weights.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "distributed/training/checkpoint.h"
#include "nas/learning/optimizer.h"
#include "nas/weights/weight_file.h"

namespace tools {

absl::Status ReadWeightsOrCheckpoint(const std::string& path, const base::TensorMap& state,
                                     base::TensorMap* ranges) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return nas::ReadWeights(path, state, ranges);
  ASSIGN_OR_RETURN(const distributed::Checkpoint checkpoint, distributed::ReadCheckpoint(path));
  const absl::Status status = base::CopyState(nas::WithoutOptimizers(checkpoint.state), state);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

}  // namespace tools
