// Runs kernels on the CPU, a team after the other and the threads of a team in turn: for tests of
// what CUDA runs.
#ifndef NAS_DEVICE_HOST_LAUNCHER_H_
#define NAS_DEVICE_HOST_LAUNCHER_H_

#include "nas/device/launcher.h"

namespace nas::device {

class HostLauncher : public Launcher {
 public:
  // backwards: threads and teams in the opposite order, which changes nothing if no body depends on
  // what others do in the same phase.
  HostLauncher(int threads, bool backwards) : threads_(threads), backwards_(backwards) {}

  void Launch(const Kernel<float>& kernel) override;
  void Launch(const Kernel<double>& kernel) override;

 private:
  template <typename T>
  void Run(const Kernel<T>& kernel) const;

  const int threads_;
  const bool backwards_;
};

}  // namespace nas::device

#endif  // NAS_DEVICE_HOST_LAUNCHER_H_
