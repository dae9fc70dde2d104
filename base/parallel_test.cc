#include "base/parallel.h"

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "ATen/Parallel.h"
#include "gtest/gtest.h"

namespace base {
namespace {

class ParallelForTest : public testing::Test {
 protected:
  ParallelForTest() : threads_(at::get_num_threads()) { at::set_num_threads(2); }
  ~ParallelForTest() override { at::set_num_threads(threads_); }

 private:
  const int threads_;
};

TEST_F(ParallelForTest, RunsOnAllThreads) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  ParallelFor(0, 2, 1, [&](int64_t, int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 2);
}

TEST_F(ParallelForTest, CoversTheRangeOnce) {
  std::vector<int> calls(1000);
  ParallelFor(3, 997, 10, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) ++calls[i];
  });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(calls[i], i >= 3 && i < 997) << i;
}

TEST_F(ParallelForTest, RethrowsWhatABodyThrows) {
  EXPECT_THROW(ParallelFor(0, 2, 1,
                           [](int64_t first, int64_t) {
                             if (first == 1) throw std::runtime_error("second half");
                           }),
               std::runtime_error);
}

}  // namespace
}  // namespace base
