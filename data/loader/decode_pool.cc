#include "data/loader/decode_pool.h"

#include <algorithm>

namespace data {

DecodePool::DecodePool(int threads) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { Run(i); });
}

DecodePool::~DecodePool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DecodePool::Add(Client* client) {
  {
    const std::lock_guard lock(mutex_);
    members_.push_back({.client = client});
    ++wakes_;
  }
  changed_.notify_all();
}

void DecodePool::Remove(Client* client) {
  std::unique_lock lock(mutex_);
  Find(client).leaves = true;
  changed_.wait(lock, [&] { return Find(client).inside == 0; });
  members_.erase(members_.begin() + (&Find(client) - members_.data()));
}

void DecodePool::Wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  changed_.notify_all();
}

DecodePool::Member& DecodePool::Find(Client* client) {
  return *std::find_if(members_.begin(), members_.end(),
                       [&](const Member& member) { return member.client == client; });
}

// Whether one of the members, each of which is asked, had something to do.
bool DecodePool::WorkForOne(int thread, std::unique_lock<std::mutex>& lock) {
  for (size_t asked = 0; asked < members_.size(); ++asked) {
    Member& member = members_[turn_++ % members_.size()];
    if (member.leaves) continue;
    Client* const client = member.client;
    ++member.inside;
    lock.unlock();
    const bool worked = client->Work(thread);
    lock.lock();
    Member& again = Find(client);  // Others may have come and gone; this one cannot.
    if (--again.inside == 0 && again.leaves) changed_.notify_all();
    if (worked) return true;
  }
  return false;
}

void DecodePool::Run(int thread) {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const uint64_t seen = wakes_;
    if (WorkForOne(thread, lock)) continue;
    changed_.wait(lock, [&] { return stop_ || wakes_ != seen; });
  }
}

}  // namespace data
