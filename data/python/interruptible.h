// Long work that Ctrl-C ends.
#ifndef DATA_PYTHON_INTERRUPTIBLE_H_
#define DATA_PYTHON_INTERRUPTIBLE_H_

#include <atomic>
#include <chrono>
#include <functional>

namespace data {

// How long a signal waits until Python's handler sees it.
inline constexpr std::chrono::milliseconds kSignalPatience{100};

// Runs `work` in a thread of its own without the GIL, and meanwhile `tick` in this one, with it,
// about ten times a second and once at the end. If a signal's handler or `tick` raises, `stop` is
// set, which should end `work` soon; once it has ended, the exception goes on. With the GIL held.
void RunInterruptibly(const std::function<void()>& work, const std::function<void()>& tick,
                      std::atomic<bool>& stop);

}  // namespace data

#endif  // DATA_PYTHON_INTERRUPTIBLE_H_
