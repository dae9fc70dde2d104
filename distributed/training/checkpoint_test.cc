#include "distributed/training/checkpoint.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file.h"
#include "base/tensor_bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest()
      : folder_(std::string(getenv("TEST_TMPDIR")) + "/" +
                testing::UnitTest::GetInstance()->current_test_info()->name()),
        store_(folder_, /*keep=*/2) {
    EXPECT_TRUE(store_.Open().ok());
  }

  static Checkpoint Make(int64_t step) {
    return {{{"t", at::arange(1000 + step, at::kDouble)}}, {{"global_step", step}}};
  }

  absl::Status Write(int64_t step, std::optional<double> score = std::nullopt) {
    return store_.Write(step, Make(step), score);
  }

  // The step that the newest whole checkpoint says it is of; -1 for none.
  int64_t NewestStep() {
    const absl::StatusOr<std::optional<Checkpoint>> newest = store_.ReadNewest();
    EXPECT_TRUE(newest.ok()) << newest.status();
    if (!newest.ok() || !newest->has_value()) return -1;
    const int64_t step = (*newest)->description["global_step"];
    EXPECT_TRUE(at::equal((*newest)->state.at("t"), at::arange(1000 + step, at::kDouble)));
    return step;
  }

  const std::string folder_;
  CheckpointStore store_;
};

TEST_F(CheckpointTest, KeepsTheNewestAndTheBest) {
  EXPECT_EQ(NewestStep(), -1);
  EXPECT_FALSE(store_.ReadBest()->has_value());
  ASSERT_TRUE(Write(10, 0.5).ok());
  ASSERT_TRUE(Write(20, 0.9).ok());
  ASSERT_TRUE(Write(30, 0.7).ok());
  ASSERT_TRUE(Write(35).ok());
  ASSERT_TRUE(Write(40, 0.8).ok());
  EXPECT_THAT(*store_.Steps(), ElementsAre(20, 35, 40));
  EXPECT_EQ(NewestStep(), 40);
  EXPECT_EQ((*store_.ReadBest())->description["global_step"], 20);
  ASSERT_TRUE(Write(35).ok()) << "a second time, after a resumption";
  EXPECT_THAT(*store_.Steps(), ElementsAre(20, 35, 40));
}

TEST_F(CheckpointTest, EveryKindOfDamageIsSkipped) {
  ASSERT_TRUE(Write(1).ok());
  for (const std::string file : {"state.pt", "checkpoint.json"}) {
    const std::string path = store_.Path(2) + "/" + file;
    for (const double part : {0.0, 0.5, 0.999}) {
      ASSERT_TRUE(Write(2).ok());
      ASSERT_EQ(NewestStep(), 2);
      const std::string bytes = *base::ReadFile(path);
      ASSERT_TRUE(base::WriteFileAtomically(path, bytes.substr(0, bytes.size() * part)).ok());
      EXPECT_EQ(NewestStep(), 1) << file << " cut to " << part;
      EXPECT_THAT(std::string(ReadCheckpoint(store_.Path(2)).status().message()), HasSubstr(file));
    }
    ASSERT_TRUE(Write(2).ok());
    ASSERT_EQ(unlink(path.c_str()), 0);
    EXPECT_EQ(NewestStep(), 1) << file << " missing";
  }
  ASSERT_TRUE(Write(2).ok());
  const std::string path = store_.Path(2) + "/state.pt";
  std::string bytes = *base::ReadFile(path);
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(base::WriteFileAtomically(path, bytes).ok());
  EXPECT_EQ(NewestStep(), 1) << "a flipped bit";
}

TEST_F(CheckpointTest, LeftoversOfAKilledWriterAreRemoved) {
  ASSERT_TRUE(Write(1).ok());
  ASSERT_TRUE(base::MakeFolder(folder_ + "/.tmp_2").ok());
  ASSERT_TRUE(base::WriteFileAtomically(folder_ + "/.tmp_2/state.pt", "half").ok());
  EXPECT_EQ(NewestStep(), 1);
  ASSERT_TRUE(store_.Open().ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/.tmp_2"));
  ASSERT_TRUE(Write(2).ok());
}

TEST_F(CheckpointTest, AWriterKilledBetweenTwoRenamesLosesNothing) {
  ASSERT_TRUE(Write(1).ok());
  ASSERT_TRUE(Write(2).ok());
  // Where folders cannot be exchanged.
  ASSERT_EQ(rename(store_.Path(2).c_str(), (folder_ + "/.tmp_replaced_2").c_str()), 0);
  ASSERT_TRUE(store_.Open().ok());
  EXPECT_EQ(NewestStep(), 2);
  // Where they can: the older one, exchanged, is still there.
  std::filesystem::copy(store_.Path(1), folder_ + "/.tmp_replaced_2");
  ASSERT_TRUE(store_.Open().ok());
  EXPECT_EQ(NewestStep(), 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/.tmp_replaced_2"));
}

TEST_F(CheckpointTest, LaterOnesAreSetAside) {
  ASSERT_TRUE(Write(10).ok());
  EXPECT_EQ(*store_.SetLaterAside(10), "");
  ASSERT_TRUE(Write(20).ok());
  EXPECT_EQ(*store_.SetLaterAside(10), folder_ + "/set_aside_1");
  EXPECT_EQ(NewestStep(), 10);
  ASSERT_TRUE(Write(20).ok());
  EXPECT_EQ(*store_.SetLaterAside(5), folder_ + "/set_aside_2");
  EXPECT_EQ(NewestStep(), -1);
  EXPECT_TRUE(ReadCheckpoint(folder_ + "/set_aside_1/step_000000020").ok());
  EXPECT_TRUE(ReadCheckpoint(folder_ + "/set_aside_2/step_000000010").ok());
}

// The hash is of what was to be written: what a disk makes of it is seen.
TEST_F(CheckpointTest, HashIsOfTheBytesMeant) {
  ASSERT_TRUE(Write(1).ok());
  EXPECT_EQ(*base::ReadFile(store_.Path(1) + "/state.pt"), base::TensorFileBytes(Make(1).state));
}

// As on a full disk: no byte beyond the limit can be written.
TEST_F(CheckpointTest, FullDiskKeepsTheLastGoodOneAndSaysSo) {
  ASSERT_TRUE(Write(1).ok());
  rlimit old_limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit = old_limit;
  limit.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status = Write(2);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("state.pt"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the last good checkpoint is " + store_.Path(1)));
  EXPECT_EQ(NewestStep(), 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/.tmp_2"));
}

TEST_F(CheckpointTest, LostPermissionKeepsTheLastGoodOneAndSaysSo) {
  // Every folder above it is open to everybody, as those of TEST_TMPDIR need not be.
  std::string folder = "/tmp/checkpoint_test.XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  CheckpointStore store(folder, /*keep=*/2);
  ASSERT_TRUE(store.Open().ok());
  ASSERT_TRUE(store.Write(1, Make(1), std::nullopt).ok());
  ASSERT_EQ(chmod(folder.c_str(), 0555), 0);
  constexpr uid_t kNobody = 65534;
  const uid_t user = geteuid();
  const bool is_root = user == 0;
  if (is_root && seteuid(kNobody) != 0) GTEST_SKIP() << "root here cannot lose permissions";
  if (is_root && euidaccess(folder.c_str(), R_OK) != 0) {
    ASSERT_EQ(seteuid(user), 0);
    GTEST_SKIP() << "another user reaches no folder here";
  }
  const absl::Status status = store.Write(2, Make(2), std::nullopt);
  if (is_root) {
    ASSERT_EQ(seteuid(user), 0);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(store.Path(1)));
  EXPECT_THAT(*store.Steps(), ElementsAre(1));
  chmod(folder.c_str(), 0755);
  std::filesystem::remove_all(folder);
}

TEST_F(CheckpointTest, RemovedFolderIsAnErrorNotANewStore) {
  ASSERT_TRUE(Write(1).ok());
  std::filesystem::remove_all(folder_);
  const absl::Status status = Write(2);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_));
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

}  // namespace
}  // namespace distributed
