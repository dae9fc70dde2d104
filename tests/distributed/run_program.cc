#include "tests/distributed/run_program.h"

#include <cstdio>
#include <string>

#include "gflags/gflags.h"
#include "glog/logging.h"

namespace distributed {

int RunProgram(int argc, char** argv, absl::Status (*run)()) {
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  const absl::Status status = run();
  if (!status.ok()) fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : absl::IsCancelled(status) ? 75 : 1;
}

}  // namespace distributed
