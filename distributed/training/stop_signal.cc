#include "distributed/training/stop_signal.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <cstddef>

namespace distributed {
namespace {

constexpr std::array<int, 3> kSignals = {SIGTERM, SIGUSR1, SIGINT};

// A signal handler can reach nothing but static storage.
volatile sig_atomic_t signal_received = 0;
volatile sig_atomic_t interrupted = 0;

void NoteSignal(int signal) {
  const int error = errno;
  signal_received = 1;
  if (signal == SIGINT) {
    if (interrupted != 0) {
      // Dies of it, as whoever waits for the process shall see, once this handler returns.
      struct sigaction action = {};
      action.sa_handler = SIG_DFL;
      sigaction(SIGINT, &action, nullptr);
      raise(SIGINT);
      return;
    }
    interrupted = 1;
    constexpr char kText[] = "\na checkpoint follows after this step; Ctrl-C again ends at once\n";
    [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, kText, sizeof(kText) - 1);
  }
  errno = error;
}

}  // namespace

StopSignal::StopSignal() {
  signal_received = 0;
  interrupted = 0;
  struct sigaction action = {};
  action.sa_handler = &NoteSignal;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &old_[i]);
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &old_[i], nullptr);
}

bool StopSignal::Received() { return signal_received != 0; }

}  // namespace distributed
