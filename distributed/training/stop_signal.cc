#include "distributed/training/stop_signal.h"

namespace distributed {
namespace {

// A signal handler can reach nothing but static storage.
volatile sig_atomic_t signal_received = 0;

void NoteSignal(int) { signal_received = 1; }

}  // namespace

StopSignal::StopSignal() {
  signal_received = 0;
  struct sigaction action = {};
  action.sa_handler = &NoteSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &old_term_);
  sigaction(SIGUSR1, &action, &old_usr1_);
}

StopSignal::~StopSignal() {
  sigaction(SIGTERM, &old_term_, nullptr);
  sigaction(SIGUSR1, &old_usr1_, nullptr);
}

bool StopSignal::received() const { return signal_received != 0; }

}  // namespace distributed
