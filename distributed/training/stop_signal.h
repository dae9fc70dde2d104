// The wish to stop: SIGTERM and SIGUSR1, which Slurm sends before a job's time is over, and SIGINT,
// which Ctrl-C sends.
#ifndef DISTRIBUTED_TRAINING_STOP_SIGNAL_H_
#define DISTRIBUTED_TRAINING_STOP_SIGNAL_H_

#include <signal.h>

#include <array>

namespace distributed {

// While an object lives, the three signals are only noted; afterwards they do what they did before.
// A second Ctrl-C ends the process at once. (A second SIGTERM does not: launchers and job managers
// may repeat it.)
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Whether one of the signals has come since the last object was made; false if there was none.
  static bool Received();

 private:
  std::array<struct sigaction, 3> old_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_STOP_SIGNAL_H_
