// main() of a test that runs as several ranks: each runs every test, in step with the others.
#include <memory>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/create_communicator.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "tests/distributed/world.h"

DEFINE_bool(cuda, false, "Communicate CUDA tensors over NCCL.");

namespace distributed {
namespace {
Communicator* world = nullptr;
}  // namespace

Communicator& World() { return *world; }
at::Device WorldDevice() { return at::Device(FLAGS_cuda ? at::kCUDA : at::kCPU); }

}  // namespace distributed

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  testing::InitGoogleTest(&argc, argv);
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  absl::StatusOr<std::unique_ptr<distributed::Communicator>> communicator =
      distributed::CreateCommunicator({.timeout = absl::Minutes(10), .cuda = FLAGS_cuda});
  CHECK(communicator.ok()) << communicator.status();
  distributed::world = communicator->get();
  const int result = RUN_ALL_TESTS();
  if (result != 0) distributed::world->Abandon();
  return result;
}
