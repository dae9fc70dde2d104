// Threads that wait for files and servers, so that those that compute need not.
#ifndef DATA_IO_IO_THREADS_H_
#define DATA_IO_IO_THREADS_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace data {

// Runs tasks in the order in which they come, as many at a time as there are threads. Thread-safe.
class IoThreads {
 public:
  // Starts no thread before it is needed.
  explicit IoThreads(int depth) : depth_(depth) {}

  // Runs all tasks, but drops hints.
  ~IoThreads();

  int depth() const { return depth_; }

  void Run(std::function<void()> task) { Add(tasks_, std::move(task)); }

  // A task that matters less than others: runs when these are done.
  void Hint(std::function<void()> task) { Add(hints_, std::move(task)); }

 private:
  using Queue = std::deque<std::function<void()>>;

  void Add(Queue& queue, std::function<void()> task);
  void Work();

  const int depth_;
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  Queue tasks_;
  Queue hints_;
  int idle_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace data

#endif  // DATA_IO_IO_THREADS_H_
