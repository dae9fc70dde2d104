#include "data/io/file_pool.h"

namespace data {

uint64_t FilePool::NewKey() {
  const std::lock_guard lock(mutex_);
  return keys_++;
}

FilePool::Pointer FilePool::Find(uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->second;
}

FilePool::Pointer FilePool::Keep(uint64_t key, Pointer descriptor) {
  Pointer closed;  // outside the lock
  const std::lock_guard lock(mutex_);
  if (const auto place = places_.find(key); place != places_.end()) return place->second->second;
  entries_.emplace_front(key, descriptor);
  places_[key] = entries_.begin();
  if (entries_.size() > capacity_) {
    closed = std::move(entries_.back().second);
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return descriptor;
}

void FilePool::Drop(uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  entries_.erase(place->second);
  places_.erase(place);
}

}  // namespace data
