// Reads what was announced, runs of neighbouring samples, with a request each, and holds it in
// memory until the samples have been taken.
#ifndef DATA_REMOTE_RUN_READER_H_
#define DATA_REMOTE_RUN_READER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "data/io/byte_source.h"

namespace data {

// For all sources of a store. Thread-safe.
class RunReader {
 public:
  // Holds `max_bytes` at most, and has `depth` requests under way at a time, beside those for what
  // is wanted at once.
  RunReader(uint64_t max_bytes, int depth) : max_bytes_(max_bytes), depth_(depth) {}

  // Bytes [offset, offset + count) of `source` will be taken, each of them once. Does nothing for a
  // run that meets an earlier one or is larger than all there may be.
  void Announce(const ByteSource& source, uint64_t offset, uint64_t count);

  // As source.Start, if the bytes are of a run that is there, under way, or may be begun; else
  // returns false, and they are to be read by themselves.
  bool Take(const ByteSource& source, uint64_t offset, size_t count, void* to,
            ByteSource::Done& done);

  // Gives up the runs that meet these bytes, as they are not what they should be.
  void Drop(const ByteSource& source, uint64_t offset, uint64_t count);

  // Gives up all runs of a source.
  void Forget(const ByteSource& source);

  // The same of one that goes: waits for what is under way.
  void Leave(const ByteSource& source);

 private:
  struct Waiter {
    uint64_t offset;
    size_t count;
    void* to;
    ByteSource::Done done;
  };
  struct Run {
    const ByteSource* source;
    uint64_t offset, count;
    enum class State { kQueued, kUnderWay, kHere } state = State::kQueued;
    uint64_t taken = 0;
    std::string bytes;
    std::vector<Waiter> waiters;
  };
  using RunPointer = std::shared_ptr<Run>;
  using Runs = std::map<std::pair<const ByteSource*, uint64_t>, RunPointer>;  // By first byte.

  // All with mutex_ held.
  Runs::iterator Meeting(const ByteSource& source, uint64_t offset, uint64_t count);
  bool HasRoom(const Run& run) const { return held_ + run.count <= max_bytes_; }
  void Begin(Run& run);
  std::vector<RunPointer> BeginQueued();
  void Count(const RunPointer& run, uint64_t taken);
  void Erase(const RunPointer& run);
  void GiveUp(Runs::iterator it);

  // Without it.
  void Request(const RunPointer& run);
  void Finish(const RunPointer& run, const absl::Status& status);

  const uint64_t max_bytes_;
  const int depth_;

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable landed_;
  Runs runs_;
  std::deque<RunPointer> queue_;
  uint64_t held_ = 0;  // bytes of runs under way or here
  int under_way_ = 0;
  std::map<const ByteSource*, int> requests_;  // under way
};

// A source whose announced runs a RunReader reads.
class RunSource : public ByteSource {
 public:
  RunSource(std::shared_ptr<const ByteSource> source, std::shared_ptr<RunReader> reader)
      : source_(std::move(source)), reader_(std::move(reader)) {}
  ~RunSource() override { reader_->Leave(*source_); }

  const std::string& name() const override { return source_->name(); }
  uint64_t size() const override { return source_->size(); }
  void Start(uint64_t offset, size_t count, void* to, Done done) const override {
    if (!reader_->Take(*source_, offset, count, to, done)) {
      source_->Start(offset, count, to, std::move(done));
    }
  }
  void WillRead(uint64_t offset, uint64_t count) const override {
    reader_->Announce(*source_, offset, count);
  }
  void Forget() const override { reader_->Forget(*source_); }
  bool Refetch(uint64_t offset, uint64_t count) const override {
    reader_->Drop(*source_, offset, count);
    return source_->Refetch(offset, count);
  }

 private:
  const std::shared_ptr<const ByteSource> source_;
  const std::shared_ptr<RunReader> reader_;
};

}  // namespace data

#endif  // DATA_REMOTE_RUN_READER_H_
