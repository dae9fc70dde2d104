#include "data/loader/decode_pool.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace data {
namespace {

// So many pieces, of which each notes who does it.
class Pieces : public DecodePool::Client {
 public:
  explicit Pieces(int left) : left_(left) {}

  bool Work(int thread) override {
    ++inside;
    const bool worked = left_.fetch_sub(1) > 0;
    if (worked) {
      ++done;
      std::this_thread::yield();
      const std::lock_guard lock(mutex_);
      threads.insert(thread);
    }
    --inside;
    return worked;
  }

  void More(int pieces) { left_ = pieces; }

  std::atomic<int> done = 0;
  std::atomic<int> inside = 0;
  std::set<int> threads;

 private:
  std::atomic<int> left_;
  std::mutex mutex_;
};

void WaitFor(const std::atomic<int>& done, int count) {
  while (done < count) std::this_thread::yield();
}

TEST(DecodePoolTest, ServesAllThatHaveWork) {
  DecodePool pool(3);
  EXPECT_EQ(pool.threads(), 3);
  Pieces first(1000), second(500);
  pool.Add(&first);
  pool.Add(&second);
  WaitFor(first.done, 1000);
  WaitFor(second.done, 500);
  second.More(700);
  pool.Wake();
  WaitFor(second.done, 1200);
  pool.Remove(&first);
  pool.Remove(&second);
  for (const int thread : first.threads) EXPECT_TRUE(thread >= 0 && thread < 3);
  EXPECT_EQ(first.done, 1000);
}

TEST(DecodePoolTest, NobodyIsInAClientThatWasRemoved) {
  DecodePool pool(4);
  Pieces busy(1 << 30);
  pool.Add(&busy);
  for (int i = 0; i < 200; ++i) {
    Pieces pieces(1 << 30);
    pool.Add(&pieces);
    WaitFor(pieces.done, 1);
    pool.Remove(&pieces);
    EXPECT_EQ(pieces.inside, 0);
    const int done = pieces.done;
    std::this_thread::yield();
    EXPECT_EQ(pieces.done, done);
  }
  pool.Remove(&busy);
}

TEST(DecodePoolTest, ClientsTakeTurns) {
  DecodePool pool(1);
  Pieces first(1 << 30), second(1 << 30);
  pool.Add(&first);
  pool.Add(&second);
  WaitFor(second.done, 1000);
  const int before = first.done;
  WaitFor(second.done, 2000);
  EXPECT_GE(first.done - before, 900);
  pool.Remove(&first);
  pool.Remove(&second);
}

}  // namespace
}  // namespace data
