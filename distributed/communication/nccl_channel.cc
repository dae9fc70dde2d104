#include "distributed/communication/nccl_channel.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace distributed {

absl::Status NcclStatus(absl::string_view what, ncclResult_t result) {
  if (result == ncclSuccess || result == ncclInProgress) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(what, ": ", ncclGetErrorString(result)));
}

absl::Status NcclChannel::Join(const ncclUniqueId& id, int rank, int size) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  return NcclStatus("joining", ncclCommInitRankConfig(&comm_, size, id, rank, &config));
}

absl::Status NcclChannel::Leave() {
  if (comm_ == nullptr) return absl::UnavailableError("leaving: not joined");
  return NcclStatus("leaving", ncclCommFinalize(comm_));
}

ncclResult_t NcclChannel::Progress() const {
  if (comm_ == nullptr) return ncclInvalidUsage;
  ncclResult_t result = ncclInProgress;
  const ncclResult_t asked = ncclCommGetAsyncError(comm_, &result);
  return asked == ncclSuccess ? result : asked;
}

void NcclChannel::Destroy() {
  if (comm_ != nullptr) ncclCommDestroy(std::exchange(comm_, nullptr));
}

void NcclChannel::Abort() {
  if (comm_ != nullptr) ncclCommAbort(std::exchange(comm_, nullptr));
}

}  // namespace distributed
