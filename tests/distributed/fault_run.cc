// A training run of a few milliseconds per step, for scripts that disturb it.
//
// Every rank prints "rank R pid P"; at the end rank 0 prints "state HASH norm SQUARES" of the
// final state.
#include <stdio.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/create_communicator.h"
#include "distributed/training/task.h"
#include "distributed/training/testing_task.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "tests/distributed/run_program.h"
#include "xxhash.h"

DEFINE_string(run, "", "Run folder.");
DEFINE_string(resume, "auto", "TrainerOptions::resume.");
DEFINE_int64(epochs, 5, "Epochs of 10 steps.");
DEFINE_int64(checkpoint_steps, 3, "Steps between checkpoints.");
DEFINE_double(timeout_seconds, 30, "Of a collective.");
DEFINE_double(step_seconds, 0, "How long a step takes at least.");
DEFINE_bool(check_ranks, false, "TrainerOptions::check_ranks.");
DEFINE_string(
    fault, "",
    "What the last rank does wrong: diverge, nan, nan_evaluation, learning_rate or data.");
DEFINE_int64(fault_step, 7, "The global step at which it diverges, or has a loss of nan.");
DEFINE_int64(damaged, 0, "The first so many of the 40 samples are damaged.");
DEFINE_int64(max_bad_samples, -1, "TrainerOptions::max_bad_samples.");
DEFINE_int64(batch, 4, "Samples of a batch on all ranks.");

namespace distributed {
namespace {

absl::Status Run() {
  ASSIGN_OR_RETURN(std::unique_ptr<Communicator> communicator,
                   CreateCommunicator({.timeout = absl::Seconds(FLAGS_timeout_seconds)}));
  printf("rank %d pid %d\n", communicator->rank(), getpid());
  fflush(stdout);
  const bool faulty = communicator->rank() == communicator->size() - 1;

  TrainerOptions options;
  options.run_folder = FLAGS_run;
  options.resume = FLAGS_resume;
  options.epochs = FLAGS_epochs;
  options.checkpoint_every_steps = FLAGS_checkpoint_steps;
  options.report_every_steps = 10;
  options.check_ranks = FLAGS_check_ranks;
  options.max_bad_samples = FLAGS_max_bad_samples;
  options.data["samples"] = faulty && FLAGS_fault == "data" ? 41 : 40;

  const TestingTask* running_task = nullptr;
  TestingTask::Options task_options;
  if (faulty && FLAGS_fault == "learning_rate") task_options.learning_rate = 0.2;
  task_options.before_step = [&](const StepContext& context) {
    absl::SleepFor(absl::Seconds(FLAGS_step_seconds));
    if (faulty && FLAGS_fault == "diverge" && context.global_step == FLAGS_fault_step) {
      running_task->State().at("momentum3").view({-1})[0].add_(1e-12);
    }
    return absl::OkStatus();
  };
  int64_t steps = 0;
  task_options.edit_metrics = [&](Metrics& metrics) {
    const bool is_step = metrics.count("gradient_norm") > 0;
    const bool is_now = is_step && steps++ == FLAGS_fault_step;
    if (faulty && (FLAGS_fault == "nan" ? is_now : FLAGS_fault == "nan_evaluation" && !is_step)) {
      metrics["loss"].sum.fill_(std::nan(""));
    }
  };
  TestingTask task(communicator.get(), std::move(task_options));
  running_task = &task;
  std::set<int64_t> damaged;
  for (int64_t i = 0; i < FLAGS_damaged; ++i) damaged.insert(i);
  TestingBatches train(*communicator, /*samples=*/40, FLAGS_batch, damaged);
  TestingBatches evaluation(*communicator, /*samples=*/40, FLAGS_batch, damaged);
  RETURN_IF_ERROR(Train(task, {&train}, &evaluation, *communicator, options).status());

  if (communicator->rank() == 0) {
    uint64_t hash = 0;
    double norm = 0;
    for (const auto& [name, tensor] : task.State()) {
      hash = XXH3_64bits_withSeed(tensor.const_data_ptr(), tensor.nbytes(), hash);
      norm += tensor.detach().to(at::kDouble).square().sum().item<double>();
    }
    printf("state %016lx norm %.15g\n", hash, norm);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace distributed

int main(int argc, char** argv) { return distributed::RunProgram(argc, argv, distributed::Run); }
