#include "distributed/training/replace_folder.h"

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

class ReplaceFolderTest : public testing::TestWithParam<bool> {
 protected:
  ReplaceFolderTest() { std::filesystem::create_directories(root_); }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Make(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::MakeFolder(Path(name)).ok());
    ASSERT_TRUE(base::WriteFileAtomically(Path(name) + "/file", text).ok());
  }
  std::string Read(const std::string& name) const { return *base::ReadFile(Path(name) + "/file"); }

  const std::string root_ = absl::StrCat(
      getenv("TEST_TMPDIR"), "/", testing::UnitTest::GetInstance()->current_test_info()->name());
};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutExchange, ReplaceFolderTest, testing::Bool());

TEST_P(ReplaceFolderTest, TakesTheOldOnesPlaceAndKeepsIt) {
  Make("new", "first");
  ASSERT_TRUE(ReplaceFolder(Path("new"), Path("place"), Path("old"), GetParam()).ok());
  EXPECT_EQ(Read("place"), "first");
  EXPECT_FALSE(std::filesystem::exists(Path("old")));
  Make("new", "second");
  ASSERT_TRUE(ReplaceFolder(Path("new"), Path("place"), Path("old"), GetParam()).ok());
  EXPECT_EQ(Read("place"), "second");
  EXPECT_EQ(Read("old"), "first");
  EXPECT_FALSE(std::filesystem::exists(Path("new")));
  EXPECT_FALSE(ReplaceFolder(Path("new"), Path("place"), Path("other"), GetParam()).ok());
  EXPECT_EQ(Read("place"), "second") << "there is nothing to replace it";
}

// An exchange leaves no moment without the folder.
TEST_P(ReplaceFolderTest, IsThereAllTheTime) {
  if (!GetParam()) GTEST_SKIP() << "two renames";
  Make("always", "0");
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) EXPECT_TRUE(std::filesystem::exists(Path("always")));
  });
  for (int i = 1; i < 200; ++i) {
    Make("next", std::to_string(i));
    ASSERT_TRUE(ReplaceFolder(Path("next"), Path("always"), Path("old"), true).ok());
    std::filesystem::remove_all(Path("old"));
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace distributed
