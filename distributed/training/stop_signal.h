// SIGTERM and SIGUSR1 as a wish to stop: what Slurm sends before a job's time is over.
#ifndef DISTRIBUTED_TRAINING_STOP_SIGNAL_H_
#define DISTRIBUTED_TRAINING_STOP_SIGNAL_H_

#include <signal.h>

namespace distributed {

// While an object lives, the two signals are only noted; afterwards they do what they did before.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Whether either signal has come.
  bool received() const;

 private:
  struct sigaction old_term_;
  struct sigaction old_usr1_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_STOP_SIGNAL_H_
