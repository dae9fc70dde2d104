// One rank of a job that runs collectives until one fails, for missing_test.py.
//
// Every rank prints "rank R pid P", "rank R runs" once the ranks have met, and "rank R failed: "
// with the error. Then it waits to be killed, so that the launcher lets the others find out.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>

#include "ATen/ops/ones.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/create_communicator.h"
#include "gflags/gflags.h"
#include "tests/distributed/run_program.h"

DEFINE_string(collective, "", "What runs: a name, or nothing for all in turn.");
DEFINE_double(timeout_seconds, 30, "Of a collective.");
DEFINE_double(compute_seconds, 0.001, "Between collectives.");
DEFINE_int32(faulty, -1, "The rank that does something wrong.");
DEFINE_string(fault, "",
              "Before a collective it stops, sleeps, or takes a tensor of another size.");
DEFINE_int64(fault_step, 20, "How many collectives before.");

namespace distributed {
namespace {

constexpr const char* kCollectives[] = {"all_reduce", "broadcast", "all_gather", "large_all_reduce",
                                        "barrier"};

absl::Status RunOne(const std::string& name, Communicator& communicator, int64_t elements) {
  if (name == "all_reduce") return communicator.AllReduce(at::ones({elements}), ReduceOp::kSum);
  if (name == "broadcast") return communicator.Broadcast(at::ones({elements}), /*root=*/0);
  if (name == "all_gather") return communicator.AllGather(at::ones({elements})).status();
  if (name == "large_all_reduce") {
    return communicator.AllReduce(at::ones({elements * 20000}), ReduceOp::kSum);
  }
  if (name == "barrier") return communicator.Barrier();
  return absl::InvalidArgumentError(name);
}

absl::Status RunUntilFailure(Communicator& communicator) {
  for (int64_t step = 0;; ++step) {
    absl::SleepFor(absl::Seconds(FLAGS_compute_seconds));
    int64_t elements = 3;
    if (communicator.rank() == FLAGS_faulty && step == FLAGS_fault_step) {
      if (FLAGS_fault == "stop") raise(SIGSTOP);
      if (FLAGS_fault == "sleep") absl::SleepFor(absl::InfiniteDuration());
      if (FLAGS_fault == "size") elements = 5;
    }
    const std::string name =
        FLAGS_collective.empty() ? kCollectives[step % std::size(kCollectives)] : FLAGS_collective;
    RETURN_IF_ERROR(RunOne(name, communicator, elements));
  }
}

absl::Status Run() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Communicator> communicator,
                   CreateCommunicator({.timeout = absl::Seconds(FLAGS_timeout_seconds)}));
  printf("rank %d pid %d\n", communicator->rank(), getpid());
  fflush(stdout);
  RETURN_IF_ERROR(communicator->Barrier());
  printf("rank %d runs\n", communicator->rank());
  fflush(stdout);
  const absl::Status status = RunUntilFailure(*communicator);
  printf("rank %d failed: %s\n", communicator->rank(), std::string(status.message()).c_str());
  fflush(stdout);
  absl::SleepFor(absl::InfiniteDuration());
  return status;
}

}  // namespace
}  // namespace distributed

int main(int argc, char** argv) { return distributed::RunProgram(argc, argv, distributed::Run); }
