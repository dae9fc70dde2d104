#include "tools/flags/output_paths.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace tools {
namespace {

TEST(OutputPathsTest, FilesWantAFolderAndFoldersOneSomewhereAbove) {
  const std::string root = testing::TempDir() + "/output_paths";
  std::filesystem::create_directories(root + "/folder");
  std::ofstream(root + "/file") << "x";

  EXPECT_TRUE(RequireWritableFile("output", "").ok());
  EXPECT_TRUE(RequireWritableFile("output", "in_the_current_folder").ok());
  EXPECT_TRUE(RequireWritableFile("output", root + "/file").ok());
  EXPECT_TRUE(RequireWritableFile("output", root + "/folder/new").ok());
  EXPECT_EQ(RequireWritableFile("output", root + "/folder").message(),
            "--output=" + root + "/folder: is a folder");
  EXPECT_EQ(RequireWritableFile("output", root + "/none/new").message(),
            "--output=" + root + "/none/new: " + root + "/none is no folder");

  EXPECT_TRUE(RequireWritableFolder("run", root + "/a/b/c").ok());
  EXPECT_TRUE(RequireWritableFolder("run", "a/b").ok());
  EXPECT_EQ(RequireWritableFolder("run", root + "/file/b").message(),
            "--run=" + root + "/file/b: " + root + "/file is no folder");
  EXPECT_FALSE(std::filesystem::exists(root + "/a"));
}

}  // namespace
}  // namespace tools
