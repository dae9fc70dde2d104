#include "data/remote/run_reader.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/status/status.h"

namespace data {

// The first one, or the end.
RunReader::Runs::iterator RunReader::Meeting(const ByteSource& source, uint64_t offset,
                                             uint64_t count) {
  auto it = runs_.upper_bound({&source, offset});
  if (it != runs_.begin()) {
    const auto before = std::prev(it);
    if (before->first.first == &source && before->second->offset + before->second->count > offset) {
      return before;
    }
  }
  const bool meets =
      it != runs_.end() && it->first.first == &source && it->second->offset < offset + count;
  return meets ? it : runs_.end();
}

void RunReader::Announce(const ByteSource& source, uint64_t offset, uint64_t count) {
  std::vector<RunPointer> begun;
  {
    const std::lock_guard lock(mutex_);
    if (count == 0 || count > max_bytes_ || Meeting(source, offset, count) != runs_.end()) return;
    auto run = std::make_shared<Run>();
    run->source = &source;
    run->offset = offset;
    run->count = count;
    runs_.emplace(std::pair(&source, offset), run);
    queue_.push_back(std::move(run));
    begun = BeginQueued();
  }
  for (const RunPointer& run : begun) Request(run);
}

void RunReader::Begin(Run& run) {
  run.state = Run::State::kUnderWay;
  held_ += run.count;
  ++under_way_;
  ++requests_[run.source];
}

std::vector<RunReader::RunPointer> RunReader::BeginQueued() {
  std::vector<RunPointer> begun;
  while (!queue_.empty() && under_way_ < depth_ && HasRoom(*queue_.front())) {
    Begin(*queue_.front());
    begun.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return begun;
}

void RunReader::Erase(const RunPointer& run) {
  if (run->state == Run::State::kQueued) {
    queue_.erase(std::find(queue_.begin(), queue_.end(), run));
  } else {
    held_ -= run->count;
  }
  // What was dropped may have made room for another one at its place.
  const auto it = runs_.find({run->source, run->offset});
  if (it != runs_.end() && it->second == run) runs_.erase(it);
}

void RunReader::Count(const RunPointer& run, uint64_t taken) {
  run->taken += taken;
  if (run->taken >= run->count) Erase(run);
}

bool RunReader::Take(const ByteSource& source, uint64_t offset, size_t count, void* to,
                     ByteSource::Done& done) {
  bool here = false;
  std::vector<RunPointer> begun;
  {
    const std::lock_guard lock(mutex_);
    const auto it = Meeting(source, offset, count);
    if (it == runs_.end()) return false;
    const RunPointer run = it->second;
    if (offset < run->offset || offset + count > run->offset + run->count) return false;
    if (run->state == Run::State::kQueued) {
      if (!HasRoom(*run)) {
        Erase(run);
        return false;
      }
      queue_.erase(std::find(queue_.begin(), queue_.end(), run));
      Begin(*run);
      begun.push_back(run);
    }
    if (run->state == Run::State::kUnderWay) {
      run->waiters.push_back({offset, count, to, std::move(done)});
    } else {
      std::memcpy(to, run->bytes.data() + (offset - run->offset), count);
      Count(run, count);
      here = true;
      begun = BeginQueued();
    }
  }
  for (const RunPointer& run : begun) Request(run);
  if (here) done(absl::OkStatus());
  return true;
}

void RunReader::Request(const RunPointer& run) {
  run->bytes.resize(run->count);  // Which clears it: not under the lock.
  run->source->Start(run->offset, run->count, run->bytes.data(),
                     [this, run](const absl::Status& status) { Finish(run, status); });
}

void RunReader::Finish(const RunPointer& run, const absl::Status& status) {
  std::vector<Waiter> waiters;
  std::vector<RunPointer> begun;
  {
    const std::lock_guard lock(mutex_);
    waiters = std::move(run->waiters);
    run->state = Run::State::kHere;
    --under_way_;
    for (const Waiter& waiter : waiters) {
      if (!status.ok()) break;
      std::memcpy(waiter.to, run->bytes.data() + (waiter.offset - run->offset), waiter.count);
      run->taken += waiter.count;
    }
    // Whoever else wants a sample of it asks for that alone.
    if (!status.ok()) run->taken = run->count;
    Count(run, 0);
    begun = BeginQueued();
  }
  for (const Waiter& waiter : waiters) waiter.done(status);
  for (const RunPointer& next : begun) Request(next);
  const std::lock_guard lock(mutex_);
  if (--requests_[run->source] == 0) requests_.erase(run->source);
  landed_.notify_all();
}

// What is under way goes when it has landed.
void RunReader::GiveUp(Runs::iterator it) {
  const RunPointer run = it->second;
  if (run->state != Run::State::kUnderWay) return Erase(run);
  run->taken = run->count;
  runs_.erase(it);
}

void RunReader::Drop(const ByteSource& source, uint64_t offset, uint64_t count) {
  const std::lock_guard lock(mutex_);
  for (auto it = Meeting(source, offset, count); it != runs_.end();
       it = Meeting(source, offset, count)) {
    GiveUp(it);
  }
}

void RunReader::Forget(const ByteSource& source) { Drop(source, 0, source.size()); }

void RunReader::Leave(const ByteSource& source) {
  Forget(source);
  std::unique_lock lock(mutex_);
  landed_.wait(lock, [&] { return requests_.find(&source) == requests_.end(); });
}

}  // namespace data
