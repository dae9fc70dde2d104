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
//   config.json     the settings (also printed), what decides the result, what it runs on, the
//   build checkpoints/    a folder per checkpoint (checkpoint.h) metrics.jsonl   a line for the
//   start and per report interval ("kind": "train"), evaluation and
//                   epoch (docs/metrics.md)
//   events.out.tfevents.*  the same for TensorBoard (event_file.h)
//   bad_samples.jsonl  a line per damaged sample that was left out, if there is any
//   log.txt         how the run goes, as plain lines
//   run.lock        while a process trains in it (run_lock.h)
//
// The first metric that is not finite, on any rank, ends the run, and no checkpoint holds a number
// that is not finite: a run that diverged can be resumed from where it was sound.
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
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "distributed/training/trainer_options.h"

namespace distributed {

struct TrainSummary {
  int64_t global_step = 0;                   // Steps done.
  std::map<std::string, double> evaluation;  // The means of the last evaluation.
  double best_accuracy = 0;                  // The highest "accuracy" of an evaluation.
  int64_t bad_samples = 0;                   // Damaged ones that were left out.
};

// Runs `task` on the batches of `streams` (one per Task::streams(); an epoch is one of the first)
// to the end of `options.epochs`, evaluating on `evaluation` (may be null) after every epoch. Every
// rank calls it. Rank 0's initial state, or the checkpoint it reads, is given to all ranks, so that
// only rank 0 needs the run folder. Any error ends the run on this rank (see
// Communicator::Abandon); an error of a step names epoch and step. FailedPrecondition, with both
// values, if configuration or data differ between ranks or from the checkpoint, or the build
// between ranks; OutOfRange, naming the quantity, if the run diverged; Cancelled, after a
// checkpoint, if a signal asked for its end, so that nobody takes the run for finished.
absl::StatusOr<TrainSummary> Train(Task& task, const std::vector<BatchSource*>& streams,
                                   BatchSource* evaluation, Communicator& communicator,
                                   const TrainerOptions& options);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_TRAINER_H_
