#include "base/file.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::HasSubstr;

std::string TestPath(const std::string& name) {
  return std::string(getenv("TEST_TMPDIR")) + "/" + name;
}

TEST(FileTest, WriteReplacesAndLeavesNoTemporary) {
  const std::string folder = TestPath("a/b");
  ASSERT_TRUE(MakeFolder(folder).ok());
  const std::string bytes(200000, 'x');
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", "old").ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/f", bytes).ok());
  EXPECT_EQ(*ReadFile(folder + "/f"), bytes);
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++entries;
  EXPECT_EQ(entries, 1);
}

TEST(FileTest, ErrorsNameThePath) {
  const absl::Status read = ReadFile(TestPath("missing")).status();
  EXPECT_EQ(read.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(read.message()), HasSubstr("missing"));
  const absl::Status write = WriteFileAtomically(TestPath("no_such_folder/f"), "x");
  EXPECT_EQ(write.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(write.message()), HasSubstr("no_such_folder/f"));
}

}  // namespace
}  // namespace base
