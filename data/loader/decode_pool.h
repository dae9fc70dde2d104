// Threads that several loaders share, so that a process has as many as it was given, however many
// streams it reads.
#ifndef DATA_LOADER_DECODE_POOL_H_
#define DATA_LOADER_DECODE_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace data {

// Thread-safe.
class DecodePool {
 public:
  // What has work, in pieces.
  class Client {
   public:
    virtual ~Client() = default;

    // Does a piece, if there is one; whether there was. On thread `thread` of 0 .. threads() - 1,
    // of which several may be in here at once.
    virtual bool Work(int thread) = 0;
  };

  explicit DecodePool(int threads);
  ~DecodePool();  // All clients have been removed.
  DecodePool(const DecodePool&) = delete;
  DecodePool& operator=(const DecodePool&) = delete;

  int threads() const { return static_cast<int>(threads_.size()); }

  // Clients with work are served in turn.
  void Add(Client* client);

  // Returns when no thread is in its Work, and none will be.
  void Remove(Client* client);

  // A client has work that it had not when it said no.
  void Wake();

 private:
  struct Member {
    Client* client;
    int inside = 0;  // Threads in its Work.
    bool leaves = false;
  };

  void Run(int thread);
  bool WorkForOne(int thread, std::unique_lock<std::mutex>& lock);
  Member& Find(Client* client);

  // Not absl::Mutex: the thread sanitizer does not see into the prebuilt library.
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::vector<Member> members_;
  size_t turn_ = 0;     // The member to be asked first.
  uint64_t wakes_ = 0;  // How often there was something new.
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace data

#endif  // DATA_LOADER_DECODE_POOL_H_
