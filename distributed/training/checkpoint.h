// Checkpoints of a run: a folder each, whole or not there at all.
//
//   CheckpointStore store("runs/search/checkpoints", /*keep=*/3);
//   RETURN_IF_ERROR(store.Open());
//   RETURN_IF_ERROR(store.Write(step, {state, description}, /*score=*/accuracy));
//   ASSIGN_OR_RETURN(std::optional<Checkpoint> newest, store.ReadNewest());
//
// step_000000120/ holds
//   state.pt          the tensors, as torch.load reads them
//   checkpoint.json   the description, the score, size and XXH3 hash of state.pt
//
// A checkpoint is written under a temporary name and renamed when all of it is on the disk, in one
// exchange with an older one of that step; leftovers of a writer that was killed are removed by the
// next one. The hash is of the bytes that were meant to be written, so that it tells what became of
// them on the way to the disk.
#ifndef DISTRIBUTED_TRAINING_CHECKPOINT_H_
#define DISTRIBUTED_TRAINING_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nlohmann/json.hpp"

namespace distributed {

struct Checkpoint {
  base::TensorMap state;
  nlohmann::json description;
};

// Reads the checkpoint in folder `path`. DataLoss if it is damaged, or the error of reading a file
// of it; the message names the file.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

class CheckpointStore {
 public:
  // Keeps the `keep` newest checkpoints and the one with the highest score.
  CheckpointStore(std::string folder, int keep) : folder_(std::move(folder)), keep_(keep) {}

  // Makes the folder and clears up what a killed writer left in it.
  absl::Status Open();

  // Writes the checkpoint of `step`, in place of an older one of that step, and removes those that
  // are no longer kept. After an error all earlier checkpoints are as they were; the message names
  // the newest.
  absl::Status Write(int64_t step, const Checkpoint& checkpoint, std::optional<double> score);

  // Moves the checkpoints of later steps than `step`, from which a run goes on, into a new folder
  // beside them (set_aside_1/), where none of this store's calls finds them. Returns that folder;
  // "" if there are none.
  absl::StatusOr<std::string> SetLaterAside(int64_t step);

  // The newest checkpoint that is whole, if there is any. Damaged ones are skipped, each with a
  // warning that says why.
  absl::StatusOr<std::optional<Checkpoint>> ReadNewest() const;

  // The one with the highest score, the earliest of several, if any has a score. DataLoss, as from
  // ReadCheckpoint, if it is damaged.
  absl::StatusOr<std::optional<Checkpoint>> ReadBest() const;

  // The steps that have a checkpoint, in ascending order.
  absl::StatusOr<std::vector<int64_t>> Steps() const;

  // The folder of the checkpoint of `step`.
  std::string Path(int64_t step) const;

 private:
  absl::Status WriteNew(int64_t step, const Checkpoint& checkpoint, std::optional<double> score);
  absl::Status Prune();

  // The one of `steps` whose checkpoint has the highest score.
  std::optional<int64_t> BestOf(const std::vector<int64_t>& steps) const;

  const std::string folder_;
  const int keep_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_CHECKPOINT_H_
