// The committed vectors pass. They are a selection (select_vectors.py); //tests/golden:check takes
// a whole folder.

#include <iostream>

#include "gtest/gtest.h"
#include "tests/golden/committed_vectors.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/all_groups.h"

namespace golden {
namespace {

TEST(GoldenTest, CommittedVectorsPass) {
  const auto files = ListFolder(kCommittedVectors);
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_FALSE(files->empty());
  EXPECT_EQ(CheckFiles(*files, AllGroups(), /*only=*/"", std::cout), 0);
}

}  // namespace
}  // namespace golden
