#include "data/remote/run_reader.h"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Answers when told to. Byte i is i % 251.
class SlowSource : public ByteSource {
 public:
  struct Request {
    uint64_t offset;
    size_t count;
    void* to;
    Done done;
    bool operator==(const std::pair<int, int>& other) const {
      return offset == static_cast<uint64_t>(other.first) &&
             count == static_cast<size_t>(other.second);
    }
  };

  const std::string& name() const override { return name_; }
  uint64_t size() const override { return 10000; }
  void Start(uint64_t offset, size_t count, void* to, Done done) const override {
    requests.push_back({offset, count, to, std::move(done)});
  }
  bool Refetch(uint64_t, uint64_t) const override { return true; }

  // The oldest request.
  void Answer(const absl::Status& status = absl::OkStatus()) const {
    const Request request = std::move(requests.front());
    requests.erase(requests.begin());
    for (size_t i = 0; i < request.count; ++i) {
      static_cast<uint8_t*>(request.to)[i] = (request.offset + i) % 251;
    }
    request.done(status);
  }

  mutable std::vector<Request> requests;

 private:
  const std::string name_ = "slow";
};

class RunReaderTest : public testing::Test {
 protected:
  void Make(uint64_t max_bytes, int depth) {
    slow_ = std::make_shared<SlowSource>();
    source_ = std::make_unique<RunSource>(slow_, std::make_shared<RunReader>(max_bytes, depth));
  }

  void TearDown() override { AnswerAll(); }

  void AnswerAll() {
    while (!slow_->requests.empty()) slow_->Answer();
  }

  // Reads `count` bytes at `offset`; the number of it.
  int Start(uint64_t offset, size_t count) {
    const int number = bytes_.size();
    std::string& to = bytes_.emplace_back(count, '\0');
    source_->Start(offset, count, to.data(), [this, number](const absl::Status& status) {
      EXPECT_TRUE(done_.emplace(number, status).second);
    });
    return number;
  }

  void ExpectRead(int number, uint64_t offset) {
    ASSERT_EQ(done_.count(number), 1) << number;
    ASSERT_TRUE(done_[number].ok());
    for (size_t i = 0; i < bytes_[number].size(); ++i) {
      ASSERT_EQ(static_cast<uint8_t>(bytes_[number][i]), (offset + i) % 251);
    }
  }

  std::shared_ptr<SlowSource> slow_;
  std::unique_ptr<RunSource> source_;
  std::deque<std::string> bytes_;
  std::map<int, absl::Status> done_;
};

TEST_F(RunReaderTest, OneRequestBringsARun) {
  Make(1000, 2);
  source_->WillRead(100, 30);
  ASSERT_THAT(slow_->requests, ElementsAre(std::pair(100, 30)));
  const int early = Start(110, 10);  // Waits for it.
  EXPECT_EQ(done_.count(early), 0);
  slow_->Answer();
  ExpectRead(early, 110);
  ExpectRead(Start(100, 10), 100);
  ExpectRead(Start(120, 10), 120);
  EXPECT_THAT(slow_->requests, IsEmpty());
  // Taken, it is gone; what was never announced is read by itself.
  Start(100, 10);
  Start(500, 7);
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(100, 10), std::pair(500, 7)));
}

TEST_F(RunReaderTest, HoldsNoMoreThanItMay) {
  Make(100, 8);
  source_->WillRead(0, 60);
  source_->WillRead(100, 60);   // No room yet.
  source_->WillRead(200, 40);   // Behind it.
  source_->WillRead(300, 101);  // Never.
  ASSERT_THAT(slow_->requests, ElementsAre(std::pair(0, 60)));
  slow_->Answer();
  ExpectRead(Start(0, 30), 0);
  EXPECT_THAT(slow_->requests, IsEmpty());
  ExpectRead(Start(30, 30), 30);
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(100, 60), std::pair(200, 40)));
  slow_->Answer();
  // What is wanted before there is room for its run is read alone, and so are its neighbours.
  source_->WillRead(400, 20);
  Start(400, 10);
  Start(410, 10);
  EXPECT_THAT(slow_->requests,
              ElementsAre(std::pair(200, 40), std::pair(400, 10), std::pair(410, 10)));
}

TEST_F(RunReaderTest, WhatIsWantedComesFirst) {
  Make(1000, 1);
  for (const int offset : {0, 100, 200}) source_->WillRead(offset, 20);
  ASSERT_THAT(slow_->requests, ElementsAre(std::pair(0, 20)));
  const int wanted = Start(210, 10);
  ASSERT_THAT(slow_->requests, ElementsAre(std::pair(0, 20), std::pair(200, 20)));
  slow_->Answer();
  slow_->Answer();
  ExpectRead(wanted, 210);
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(100, 20)));
}

TEST_F(RunReaderTest, AnErrorIsThatOfWhoWaits) {
  Make(100, 2);
  source_->WillRead(0, 60);
  const int waits = Start(0, 30);
  slow_->Answer(absl::UnavailableError("gone"));
  EXPECT_EQ(done_[waits].message(), "gone");
  // The others ask for themselves, and the memory is free.
  Start(30, 30);
  source_->WillRead(100, 100);
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(30, 30), std::pair(100, 100)));
}

TEST_F(RunReaderTest, DamageAndForgettingDropRuns) {
  Make(100, 2);
  source_->WillRead(0, 50);
  slow_->Answer();
  EXPECT_TRUE(source_->Refetch(10, 10));
  Start(10, 10);
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(10, 10)));
  slow_->Answer();

  source_->WillRead(0, 50);
  source_->WillRead(50, 50);
  source_->WillRead(200, 50);
  slow_->Answer();
  source_->Forget();  // One is here, one under way, one waits.
  slow_->Answer();
  EXPECT_THAT(slow_->requests, IsEmpty());
  source_->WillRead(0, 100);
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(0, 100)));
  // Given up while it is under way, and announced again: a run of its own.
  source_->Forget();
  source_->WillRead(0, 100);
  slow_->Answer();
  EXPECT_THAT(slow_->requests, ElementsAre(std::pair(0, 100)));
}

TEST_F(RunReaderTest, ASourceGoesWhenNothingIsUnderWay) {
  Make(100, 2);
  source_->WillRead(0, 50);
  source_->WillRead(50, 50);
  source_->WillRead(100, 50);
  std::atomic<bool> gone = false;
  std::thread leaves([&] {
    source_.reset();
    gone = true;
  });
  slow_->Answer();
  EXPECT_FALSE(gone);
  AnswerAll();
  leaves.join();
}

}  // namespace
}  // namespace data
