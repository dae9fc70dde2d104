#include "distributed/training/run_environment.h"

#include <sys/resource.h>

#include <fstream>
#include <string>

#include "ATen/Parallel.h"
#include "ATen/Version.h"
#include "nlohmann/json.hpp"
#include "torch/version.h"

namespace distributed {
namespace {

// Of the first processor, as Linux lists it; empty if it does not.
std::string ProcessorName() {
  std::ifstream list("/proc/cpuinfo");
  for (std::string line; std::getline(list, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "";
}

}  // namespace

nlohmann::ordered_json RunEnvironment(int ranks) {
  nlohmann::ordered_json environment = {{"ranks", ranks}, {"threads", at::get_num_threads()}};
  if (const std::string name = ProcessorName(); !name.empty()) environment["processor"] = name;
  environment["instruction_set"] = at::get_cpu_capability();
  environment["torch"] = TORCH_VERSION;
  return environment;
}

int64_t PeakMemoryBytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace distributed
