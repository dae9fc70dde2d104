#include "tools/flags/device_flags.h"

#include "ATen/Context.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/arithmetic.h"
#include "distributed/communication/create_communicator.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/version.h"
#include "torch/version.h"

DEFINE_string(device, "cpu", "Where the network computes.");
FLAG_CHOICES(device, {"cpu", "cuda"});
DEFINE_double(collective_timeout, 300,
              "Seconds a rank waits for the others before it names them and gives up.");
FLAG_RANGE(collective_timeout, tools::Above(0));
DEFINE_bool(reproducible, false,
            "The same bits on every x86-64 processor with AVX2 and FMA, for the same number of "
            "ranks: a rank computes in one thread, and not as fast as its processor might.");

namespace tools {
namespace {

const VersionLine version_of_libtorch([] {
  return absl::StrCat("LibTorch ", TORCH_VERSION, "; ", base::DescribeArithmetic());
});

}  // namespace

absl::Status ArithmeticFromFlags() {
  if (!FLAGS_reproducible) return absl::OkStatus();
  if (FLAGS_device == "cuda") {
    return absl::InvalidArgumentError("--reproducible: contradicts --device=cuda");
  }
  const absl::Status status = base::UseReproducibleArithmetic();
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("--reproducible: ", status.message()));
}

bool ReproducibleFromFlags() { return FLAGS_reproducible; }

absl::StatusOr<c10::DeviceType> DeviceFromFlags() {
  if (FLAGS_device == "cpu") return c10::DeviceType::CPU;
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
