// The training loop, generic over a Task: epochs, checkpoints, resumption, metrics, progress.
//
//   TrainerOptions options;
//   options.run_folder = "runs/search";
//   options.epochs = 50;
//   options.resume = "auto";
//   ASSIGN_OR_RETURN(TrainSummary summary,
//                    Train(task, {&train, &search}, &validation, *communicator, options));
//
// A run folder holds, written by rank 0:
//   config.json     the settings (also printed), what decides the result, and the build
//   checkpoints/    a folder per checkpoint (checkpoint.h)
//   metrics.jsonl   a line per report interval ("kind": "train"), evaluation and epoch
//   log.txt         what the terminal shows, as plain lines
//
// A run that was killed and resumed ends with the same bits as one that was not (CPU, same number
// of ranks); on another number of ranks it sees the same global batches and agrees to rounding. The
// random generator needs no saving: it is seeded at each step from (seed, global step).
#ifndef DISTRIBUTED_TRAINING_TRAINER_H_
#define DISTRIBUTED_TRAINING_TRAINER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "nlohmann/json.hpp"

namespace distributed {

struct TrainerOptions {
  std::string run_folder;
  int64_t epochs = 1;
  uint64_t seed = 0;
  int64_t report_every_steps = 50;

  // A checkpoint is written at the end of every epoch, at SIGTERM and SIGUSR1, and moreover every
  // so many steps (0: never) and whenever so much time has passed since the last one.
  int64_t checkpoint_every_steps = 0;
  absl::Duration checkpoint_interval = absl::Minutes(15);
  int keep_checkpoints = 3;  // The newest ones; the best one is kept besides.

  // Where to start from: "none" (a run folder that has checkpoints is then refused), "auto" (the
  // newest checkpoint of the run folder that is whole, or the beginning), or a checkpoint's path.
  std::string resume = "none";

  // What must be alike on all ranks besides Task::Config() and the build, and between a checkpoint
  // and the run that resumes it: which data, from where.
  nlohmann::json data = nlohmann::json::object();

  // Every setting as the user gave it, for people: kept in config.json with what decides the
  // result.
  nlohmann::json settings = nlohmann::json::object();

  // What computes the run's numbers (base/arithmetic.h), for the log; empty: nothing is said.
  std::string arithmetic;

  // Compares the whole state between ranks after every step; an error names the first tensor that
  // differs. For debugging: it reads every tensor.
  bool check_ranks = false;
};

struct TrainSummary {
  int64_t global_step = 0;                   // Steps done.
  bool interrupted = false;                  // By SIGTERM or SIGUSR1, after a checkpoint.
  std::map<std::string, double> evaluation;  // The means of the last evaluation.
  double best_accuracy = 0;                  // The highest "accuracy" of an evaluation.
};

// Runs `task` on the batches of `streams` (one per Task::streams(); an epoch is one of the first)
// to the end of `options.epochs`, evaluating on `evaluation` (may be null) after every epoch. Every
// rank calls it. Rank 0's initial state, or the checkpoint it reads, is given to all ranks, so that
// only rank 0 needs the run folder. Any error ends the run on this rank (see
// Communicator::Abandon); an error of a step names epoch and step. FailedPrecondition, with both
// values, if configuration, data or build differ between ranks or from the checkpoint.
absl::StatusOr<TrainSummary> Train(Task& task, const std::vector<BatchSource*>& streams,
                                   BatchSource* evaluation, Communicator& communicator,
                                   const TrainerOptions& options);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_TRAINER_H_
