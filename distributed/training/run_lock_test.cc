#include "distributed/training/run_lock.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

using ::testing::HasSubstr;

class RunLockTest : public testing::Test {
 protected:
  RunLockTest()
      : folder_(absl::StrCat(getenv("TEST_TMPDIR"), "/",
                             testing::UnitTest::GetInstance()->current_test_info()->name())),
        file_(folder_ + "/run.lock") {
    EXPECT_TRUE(base::MakeFolder(folder_).ok());
  }

  absl::StatusOr<std::unique_ptr<RunLock>> Acquire(absl::Duration beat = absl::Milliseconds(5),
                                                   absl::Duration stale = absl::Milliseconds(200)) {
    return RunLock::Acquire(folder_, "here", {.beat = beat, .stale_after = stale});
  }

  // Makes the holder one of another machine, as far as can be told.
  void MoveElsewhere() {
    const std::string text = *base::ReadFile(file_);
    const std::string boot = *base::ReadFile("/proc/sys/kernel/random/boot_id");
    ASSERT_TRUE(base::WriteFileAtomically(
                    file_, absl::StrReplaceAll(text, {{boot.substr(0, 36), "another boot"},
                                                      {"\"here\"", "\"elsewhere\""}}))
                    .ok());
  }

  // Ends the holding process without a chance to clear up.
  void HoldAndDie() {
    const pid_t child = fork();
    if (child == 0) {
      _exit(Acquire().ok() ? (kill(getpid(), SIGKILL), 0) : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "no lock";
    ASSERT_TRUE(std::filesystem::exists(file_));
  }

  int FilesLeft() const {
    return std::distance(std::filesystem::directory_iterator(folder_),
                         std::filesystem::directory_iterator());
  }

  const std::string folder_, file_;
};

TEST_F(RunLockTest, SecondHolderIsRefusedByName) {
  {
    const auto lock = Acquire();
    ASSERT_TRUE(lock.ok()) << lock.status();
    const absl::Status refused = Acquire().status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(refused.message(),
              absl::StrCat(folder_, ": a run goes on here, of process ", getpid(),
                           " on here: wait for its end, or choose another folder"));
    EXPECT_TRUE((*lock)->Check().ok());
    EXPECT_EQ(FilesLeft(), 1);
  }
  EXPECT_EQ(FilesLeft(), 0);
  EXPECT_TRUE(Acquire().ok());
}

TEST_F(RunLockTest, DeadHolderOfThisMachineIsReplacedAtOnce) {
  HoldAndDie();
  const auto lock = Acquire(/*beat=*/absl::Hours(1), /*stale=*/absl::Hours(1));
  EXPECT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(FilesLeft(), 1);
}

TEST_F(RunLockTest, DeadHolderElsewhereIsReplacedOnceItsCountStandsStill) {
  HoldAndDie();
  MoveElsewhere();
  const absl::Time start = absl::Now();
  const auto lock = Acquire();
  EXPECT_TRUE(lock.ok()) << lock.status();
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
}

TEST_F(RunLockTest, LivingHolderElsewhereIsRefusedByItsBeat) {
  HoldAndDie();
  MoveElsewhere();
  std::atomic<bool> done = false;
  std::thread other([&] {
    for (int count = 0; !done; ++count) {
      std::string text = *base::ReadFile(file_);
      text.replace(text.size() - 4, 3, std::to_string(100 + count % 900));
      EXPECT_TRUE(base::WriteFileAtomically(file_, text).ok());
    }
  });
  const absl::Status refused = Acquire(absl::Milliseconds(5), absl::Hours(1)).status();
  done = true;
  other.join();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("on elsewhere"));
}

TEST_F(RunLockTest, BeatsAndComesBackWhenRemoved) {
  const auto lock = Acquire();
  const std::string first = *base::ReadFile(file_);
  while (*base::ReadFile(file_) == first) absl::SleepFor(absl::Milliseconds(1));
  std::filesystem::remove(file_);
  while (!std::filesystem::exists(file_)) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE((*lock)->Check().ok());
}

TEST_F(RunLockTest, HolderThatWasTakenForDeadLearnsIt) {
  {
    const auto lock = Acquire(/*beat=*/absl::Hours(1));  // It stands still.
    MoveElsewhere();
    const auto other = Acquire();
    ASSERT_TRUE(other.ok()) << other.status();
    const absl::Status lost = (*lock)->Check();
    EXPECT_EQ(lost.code(), absl::StatusCode::kAborted);
    EXPECT_THAT(std::string(lost.message()), HasSubstr("took the run over"));
    EXPECT_EQ((*lock)->LastCheck(), lost);
    EXPECT_TRUE((*other)->Check().ok());
  }
  EXPECT_EQ(FilesLeft(), 0);
}

TEST_F(RunLockTest, TornFileIsReplacedOnceItStandsStill) {
  ASSERT_TRUE(base::WriteFileAtomically(file_, "{\"host\": \"he").ok());
  EXPECT_TRUE(Acquire().ok());
}

// Many come at once to a lock whose holder is dead: one gets it.
TEST_F(RunLockTest, OneOfManyTakesOver) {
  for (int round = 0; round < 20; ++round) {
    HoldAndDie();
    std::vector<std::unique_ptr<RunLock>> locks(8);
    std::vector<std::thread> threads;
    for (std::unique_ptr<RunLock>& lock : locks) {
      threads.emplace_back([&] {
        if (auto acquired = Acquire(absl::Hours(1), absl::Hours(1)); acquired.ok()) {
          lock = *std::move(acquired);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    int holders = 0;
    for (const std::unique_ptr<RunLock>& lock : locks)
      holders += lock != nullptr && lock->Check().ok();
    EXPECT_EQ(holders, 1);
    locks.clear();
    EXPECT_EQ(FilesLeft(), 0);
  }
}

}  // namespace
}  // namespace distributed
