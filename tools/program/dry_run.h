// --dry_run of the tools that train: everything that the beginning of a run checks, and what would
// run, in words.
#ifndef TOOLS_PROGRAM_DRY_RUN_H_
#define TOOLS_PROGRAM_DRY_RUN_H_

#include <string>

#include "absl/status/status.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/task.h"
#include "distributed/training/trainer.h"
#include "tools/program/run_estimate.h"

namespace tools {

// Compares the ranks, looks whether the run folder may hold the run and whether the checkpoint to
// start from is whole and of this run, and prints the run on rank 0; `what` is one line. Changes
// nothing. Every rank calls it; errors are the same on all.
absl::Status DescribeRun(const std::string& what, const RunEstimate& estimate,
                         const distributed::Task& task, const distributed::BatchSource& train,
                         distributed::Communicator& communicator,
                         const distributed::TrainerOptions& options);

}  // namespace tools

#endif  // TOOLS_PROGRAM_DRY_RUN_H_
