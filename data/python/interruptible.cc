#include "data/python/interruptible.h"

#include <exception>
#include <future>

#include "nanobind/nanobind.h"

namespace data {

void RunInterruptibly(const std::function<void()>& work, const std::function<void()>& tick,
                      std::atomic<bool>& stop) {
  std::future<void> done = std::async(std::launch::async, work);
  try {
    for (bool ready = false; !ready;) {
      {
        const nanobind::gil_scoped_release release;
        ready = done.wait_for(kSignalPatience) == std::future_status::ready;
      }
      if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
      tick();
    }
  } catch (...) {
    stop = true;
    const nanobind::gil_scoped_release release;
    done.wait();
    throw;
  }
  done.get();
}

}  // namespace data
