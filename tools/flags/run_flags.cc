#include "tools/flags/run_flags.h"

#include "ATen/Context.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/arithmetic.h"
#include "base/status_macros.h"
#include "distributed/communication/create_communicator.h"
#include "gflags/gflags.h"
#include "tools/flags/tool.h"

DEFINE_string(run, "",
              "Run folder: configuration, log, metrics, checkpoints and results go there.");
DEFINE_string(
    resume, "none",
    "Where to start: none, auto (the newest whole checkpoint of the run folder, if any) or "
    "the path of a checkpoint.");
DEFINE_int64(epochs, 50, "Passes over the training data.");
DEFINE_uint64(seed, 2, "Decides initial values, order of samples, augmentation and drop path.");
DEFINE_int64(report_steps, 50, "Steps between two lines of progress.");
DEFINE_int64(checkpoint_steps, 0, "Steps between two checkpoints within an epoch; 0: never.");
DEFINE_double(checkpoint_minutes, 15, "Minutes between two checkpoints within an epoch.");
DEFINE_int32(keep_checkpoints, 3, "How many checkpoints to keep besides the best one.");
DEFINE_bool(
    check_ranks, false,
    "After every step, compare all state between ranks and name the first tensor that differs.");

DEFINE_string(device, "cpu", "Where the network computes: cpu or cuda.");
DEFINE_bool(reproducible, false,
            "The same bits on every x86-64 processor with AVX2 and FMA, for the same number of "
            "ranks: a rank computes in one thread, and not as fast as its processor might.");
DEFINE_double(collective_timeout, 300,
              "Seconds a rank waits for the others before it names them and gives up.");

namespace tools {

absl::Status ArithmeticFromFlags() {
  if (!FLAGS_reproducible) return absl::OkStatus();
  if (FLAGS_device == "cuda") {
    return absl::InvalidArgumentError("--reproducible: contradicts --device=cuda");
  }
  const absl::Status status = base::UseReproducibleArithmetic();
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("--reproducible: ", status.message()));
}

absl::StatusOr<distributed::TrainerOptions> TrainerOptionsFromFlags() {
  RETURN_IF_ERROR(ArithmeticFromFlags());
  if (FLAGS_run.empty()) return absl::InvalidArgumentError("--run: the run folder is required");
  if (FLAGS_epochs < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--epochs=", FLAGS_epochs, ": must be at least 1"));
  }
  if (FLAGS_report_steps < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--report_steps=", FLAGS_report_steps, ": must be at least 1"));
  }
  if (FLAGS_keep_checkpoints < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--keep_checkpoints=", FLAGS_keep_checkpoints, ": must be at least 1"));
  }
  distributed::TrainerOptions options;
  options.run_folder = FLAGS_run;
  options.epochs = FLAGS_epochs;
  options.seed = FLAGS_seed;
  options.report_every_steps = FLAGS_report_steps;
  options.checkpoint_every_steps = FLAGS_checkpoint_steps;
  options.checkpoint_interval = absl::Minutes(FLAGS_checkpoint_minutes);
  options.keep_checkpoints = FLAGS_keep_checkpoints;
  options.resume = FLAGS_resume;
  options.check_ranks = FLAGS_check_ranks;
  options.settings = EffectiveFlags();
  options.arithmetic = base::DescribeArithmetic();
  return options;
}

uint64_t SeedFromFlags() { return FLAGS_seed; }

std::string InRunFolder(const std::string& name) { return absl::StrCat(FLAGS_run, "/", name); }

absl::StatusOr<c10::DeviceType> DeviceFromFlags() {
  if (FLAGS_device == "cpu") return c10::DeviceType::CPU;
  if (FLAGS_device != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("--device=", FLAGS_device, ": must be cpu or cuda"));
  }
  if (!at::hasCUDA()) {
    return absl::InvalidArgumentError(
        "--device=cuda: no GPU here, or this binary was built without --config=cuda");
  }
  return c10::DeviceType::CUDA;
}

absl::StatusOr<std::unique_ptr<distributed::Communicator>> CommunicatorFromFlags(
    c10::DeviceType device) {
  return distributed::CreateCommunicator({.timeout = absl::Seconds(FLAGS_collective_timeout),
                                          .cuda = device == c10::DeviceType::CUDA});
}

}  // namespace tools
