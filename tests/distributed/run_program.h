// What the programs that ranks run here have in common.
#ifndef TESTS_DISTRIBUTED_RUN_PROGRAM_H_
#define TESTS_DISTRIBUTED_RUN_PROGRAM_H_

#include "absl/status/status.h"

namespace distributed {

// main(): flags, the log on standard error, then `run`, whose error is a line there and exit status
// 1; 75 if it was cancelled, as a signal does.
int RunProgram(int argc, char** argv, absl::Status (*run)());

}  // namespace distributed

#endif  // TESTS_DISTRIBUTED_RUN_PROGRAM_H_
