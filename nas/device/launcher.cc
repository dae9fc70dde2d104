#include "nas/device/launcher.h"

#include <array>
#include <atomic>
#include <cstddef>

namespace nas::device {
namespace {

constexpr size_t kTypes = static_cast<size_t>(c10::COMPILE_TIME_MAX_DEVICE_TYPES);

std::atomic<Launcher*>& Slot(c10::DeviceType type) {
  static std::array<std::atomic<Launcher*>, kTypes> launchers = {};
  return launchers[static_cast<size_t>(type)];
}

}  // namespace

Launcher* LauncherOf(c10::DeviceType type) { return Slot(type); }

void SetLauncher(c10::DeviceType type, Launcher* launcher) { Slot(type) = launcher; }

}  // namespace nas::device
