#include "distributed/communication/host_bytes.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/distributed/world.h"

namespace distributed {
namespace {

TEST(HostBytesTest, OneRankMakesThemForAll) {
  for (const size_t size : {0, 1, 5'000'000}) {
    int made = 0;
    const auto shared = ShareOnHost(World(), [&]() -> absl::StatusOr<std::string> {
      ++made;
      return std::string(size, 'a' + World().rank());
    });
    ASSERT_TRUE(shared.ok()) << shared.status();
    EXPECT_EQ(made, World().place().local_rank == 0 ? 1 : 0);
    EXPECT_EQ(shared->bytes, std::string(size, 'a'));
  }
}

TEST(HostBytesTest, TheyStayWithWhoeverHasThem) {
  base::SharedBytes kept;
  for (int i = 0; i < 3; ++i) {
    const auto shared = ShareOnHost(
        World(), [&]() -> absl::StatusOr<std::string> { return std::string(100, 'a' + i); });
    ASSERT_TRUE(shared.ok()) << shared.status();
    if (i == World().rank() % 3) kept = *shared;
  }
  EXPECT_EQ(kept.bytes, std::string(100, 'a' + World().rank() % 3));
}

TEST(HostBytesTest, AnErrorIsThatOfAll) {
  const auto shared = ShareOnHost(
      World(), []() -> absl::StatusOr<std::string> { return absl::NotFoundError("no shards"); });
  EXPECT_EQ(shared.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(shared.status().message(), "no shards")) << shared.status();
}

}  // namespace
}  // namespace distributed
