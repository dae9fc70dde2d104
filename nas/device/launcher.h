// Who runs the kernels.
#ifndef NAS_DEVICE_LAUNCHER_H_
#define NAS_DEVICE_LAUNCHER_H_

#include "c10/core/Device.h"
#include "nas/device/kernels.h"

namespace nas::device {

class Launcher {
 public:
  virtual ~Launcher() = default;

  // Runs a kernel on the device that its pointers are to, behind the kernels launched before.
  virtual void Launch(const Kernel<float>& kernel) = 0;
  virtual void Launch(const Kernel<double>& kernel) = 0;
};

// That of a kind of device; null: there is none in this program, or it was taken back.
Launcher* LauncherOf(c10::DeviceType type);
// From now on `launcher`, which stays alive, runs kernels on devices of that kind.
void SetLauncher(c10::DeviceType type, Launcher* launcher);

}  // namespace nas::device

#endif  // NAS_DEVICE_LAUNCHER_H_
