#include "data/io/io_threads.h"

#include <utility>

namespace data {

IoThreads::~IoThreads() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    hints_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void IoThreads::Add(Queue& queue, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  queue.push_back(std::move(task));
  const size_t waiting = tasks_.size() + hints_.size();
  if (waiting > static_cast<size_t>(idle_) && static_cast<int>(threads_.size()) < depth_) {
    threads_.emplace_back(&IoThreads::Work, this);
  }
  changed_.notify_one();
}

void IoThreads::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return stop_ || !tasks_.empty() || !hints_.empty(); });
    --idle_;
    Queue& queue = tasks_.empty() ? hints_ : tasks_;
    if (queue.empty()) return;
    {
      const std::function<void()> task = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

}  // namespace data
