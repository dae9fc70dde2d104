#include "base/processors.h"

#include <stdlib.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ProcessorsTest, Lists) {
  EXPECT_THAT(ParseProcessorList("0-3,8,10-11\n"), ElementsAre(0, 1, 2, 3, 8, 10, 11));
  EXPECT_THAT(ParseProcessorList("5"), ElementsAre(5));
  for (const char* wrong : {"", "\n", "-1", "3-1", "1-2-3", "a", "0-99999999"}) {
    EXPECT_THAT(ParseProcessorList(wrong), IsEmpty()) << wrong;
  }
}

TEST(ProcessorsTest, NearADevice) {
  const std::string sys = absl::StrCat(getenv("TEST_TMPDIR"), "/sys");
  const auto write = [&](const std::string& folder, const std::string& file, const char* text) {
    ASSERT_TRUE(MakeFolder(absl::StrCat(sys, folder)).ok());
    ASSERT_TRUE(WriteFileAtomically(absl::StrCat(sys, folder, "/", file), text).ok());
  };
  write("/bus/pci/devices/0000:3b:00.0", "numa_node", "1\n");
  write("/bus/pci/devices/0000:00:02.0", "numa_node", "-1\n");
  write("/devices/system/node/node1", "cpulist", "2-3\n");
  EXPECT_THAT(ProcessorsNear("0000:3B:00.0", sys), ElementsAre(2, 3));
  EXPECT_THAT(ProcessorsNear("0000:00:02.0", sys), IsEmpty());
  EXPECT_THAT(ProcessorsNear("0000:99:00.0", sys), IsEmpty());
}

TEST(ProcessorsTest, ThreadsThatAreStartedKeepToThemToo) {
  const std::vector<int> all = ProcessorsOfThread();
  ASSERT_FALSE(all.empty());
  std::thread([&] {
    EXPECT_FALSE(KeepTo({}));
    EXPECT_FALSE(KeepTo({all.back() + 1}));
    EXPECT_EQ(ProcessorsOfThread(), all);
    EXPECT_TRUE(KeepTo({all.front(), all.back() + 1}));
    std::thread([&] { EXPECT_THAT(ProcessorsOfThread(), ElementsAre(all.front())); }).join();
  }).join();
  EXPECT_EQ(ProcessorsOfThread(), all);
}

}  // namespace
}  // namespace base
