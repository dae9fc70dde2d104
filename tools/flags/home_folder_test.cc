#include "tools/flags/home_folder.h"

#include <cstdlib>

#include "gflags/gflags.h"
#include "gtest/gtest.h"

DEFINE_string(folder, "", "A path.");

namespace tools {
namespace {

TEST(HomeFolderTest, ExpandsTheOwnFolderAlone) {
  ASSERT_EQ(setenv("HOME", "/home/me", 1), 0);
  EXPECT_EQ(*ExpandHome("~"), "/home/me");
  EXPECT_EQ(*ExpandHome("~/x/~y"), "/home/me/x/~y");
  EXPECT_EQ(*ExpandHome("./~"), "./~");
  EXPECT_EQ(*ExpandHome(""), "");
  EXPECT_FALSE(ExpandHome("~you/x").ok());
  ASSERT_EQ(unsetenv("HOME"), 0);
  EXPECT_EQ(ExpandHome("~/x").status().message(), "~ stands for $HOME, which is not set");
}

TEST(HomeFolderTest, InEveryTextFlag) {
  ASSERT_EQ(setenv("HOME", "/home/me", 1), 0);
  FLAGS_folder = "~/run";
  ASSERT_TRUE(ExpandHomeInFlags().ok());
  EXPECT_EQ(FLAGS_folder, "/home/me/run");
  FLAGS_folder = "~you";
  EXPECT_EQ(ExpandHomeInFlags().message().rfind("--folder=~you: ", 0), 0);
}

}  // namespace
}  // namespace tools
