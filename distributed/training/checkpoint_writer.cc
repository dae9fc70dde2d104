#include "distributed/training/checkpoint_writer.h"

#include <chrono>
#include <utility>

#include "base/status_macros.h"
#include "distributed/communication/status_exception.h"

namespace distributed {

absl::Status CheckpointWriter::Start(int64_t step, const Checkpoint& checkpoint,
                                     std::optional<double> score) {
  RETURN_IF_ERROR(Finish());
  Checkpoint copy = {.state = {}, .description = checkpoint.description};
  for (const auto& [name, tensor] : checkpoint.state) {
    copy.state.emplace(name, tensor.detach().to(at::kCPU, tensor.scalar_type(),
                                                /*non_blocking=*/false, /*copy=*/true));
  }
  writing_ = std::async(std::launch::async, [this, step, score, copy = std::move(copy)] {
    return CatchErrors([&] { return store_.Write(step, copy, score); });
  });
  return absl::OkStatus();
}

absl::Status CheckpointWriter::Check() {
  const bool written =
      writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  return written ? writing_.get() : absl::OkStatus();
}

absl::Status CheckpointWriter::Finish() {
  return writing_.valid() ? writing_.get() : absl::OkStatus();
}

}  // namespace distributed
