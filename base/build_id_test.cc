#include "base/build_id.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(BuildIdTest, IsTheSha1TheLinkerNoted) {
  EXPECT_THAT(BuildId(), testing::MatchesRegex("[0-9a-f]{40}"));
  EXPECT_EQ(BuildId(), BuildId());
}

}  // namespace
}  // namespace base
