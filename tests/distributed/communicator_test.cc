#include "distributed/communication/communicator.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/full_like.h"
#include "ATen/ops/rand.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/distributed/world.h"

namespace distributed {
namespace {

at::TensorOptions OnDevice(at::ScalarType dtype) {
  return at::TensorOptions(WorldDevice()).dtype(dtype);
}

// Deterministic values that differ between ranks.
at::Tensor RandomOf(int rank, int64_t size, at::ScalarType dtype) {
  at::Generator generator = at::detail::createCPUGenerator(/*seed=*/100 + rank);
  return at::rand({size}, generator, at::kDouble).to(WorldDevice(), dtype);
}

// Sizes that do not divide by the number of ranks, below and above what one round carries.
constexpr int64_t kSizes[] = {0, 1, 3, 1000, 100003};

TEST(CommunicatorTest, AllReduceAddsInOrderOfRank) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    for (const int64_t size : kSizes) {
      at::Tensor sum = RandomOf(0, size, dtype);
      for (int rank = 1; rank < World().size(); ++rank) sum += RandomOf(rank, size, dtype);
      at::Tensor tensor = RandomOf(World().rank(), size, dtype);
      ASSERT_TRUE(World().AllReduce(tensor, ReduceOp::kSum).ok());
      EXPECT_TRUE(at::equal(tensor, sum)) << size;
      tensor = RandomOf(World().rank(), size, dtype);
      ASSERT_TRUE(World().AllReduce(tensor, ReduceOp::kMean).ok());
      EXPECT_TRUE(at::equal(tensor, sum / World().size())) << size;
    }
  }
}

TEST(CommunicatorTest, AllReduceOfIntegers) {
  const at::Tensor tensor = at::arange(50000, OnDevice(at::kLong)) + World().rank();
  ASSERT_TRUE(World().AllReduce(tensor, ReduceOp::kSum).ok());
  const int64_t ranks = World().size();
  EXPECT_TRUE(
      at::equal(tensor, at::arange(50000, OnDevice(at::kLong)) * ranks + ranks * (ranks - 1) / 2));
}

TEST(CommunicatorTest, ReductionsUnderWayDoNotDisturbEachOther) {
  std::vector<at::Tensor> tensors;
  std::vector<std::unique_ptr<Work>> works;
  for (int i = 0; i < 50; ++i) {
    tensors.push_back(at::full({1000 * i + 1}, i + World().rank(), OnDevice(at::kFloat)));
    works.push_back(World().AllReduceAsync(tensors.back(), ReduceOp::kMean));
  }
  for (int i = 49; i >= 0; --i) {
    ASSERT_TRUE(works[i]->Wait().ok());
    EXPECT_TRUE(at::equal(tensors[i], at::full_like(tensors[i], i + (World().size() - 1) / 2.0)));
  }
}

TEST(CommunicatorTest, BroadcastFromEveryRoot) {
  for (int root = 0; root < World().size(); ++root) {
    const at::Tensor tensor = RandomOf(World().rank(), 5000, at::kDouble);
    ASSERT_TRUE(World().Broadcast(tensor, root).ok());
    EXPECT_TRUE(at::equal(tensor, RandomOf(root, 5000, at::kDouble)));
  }
}

TEST(CommunicatorTest, AllGatherStacksInOrderOfRank) {
  const at::Tensor bytes = at::full({2, 3}, World().rank() + 7, OnDevice(at::kByte));
  const absl::StatusOr<at::Tensor> all = World().AllGather(bytes);
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->sizes(), at::IntArrayRef({World().size(), 2, 3}));
  for (int rank = 0; rank < World().size(); ++rank) {
    EXPECT_TRUE(at::equal((*all)[rank], at::full({2, 3}, rank + 7, OnDevice(at::kByte))));
  }
}

TEST(CommunicatorTest, RanksOfOneHostHaveTheirPlaceOnIt) {
  EXPECT_EQ(World().place().local_rank, World().rank());
  EXPECT_FALSE(World().place().host.empty());
  EXPECT_TRUE(World().Barrier().ok());
}

}  // namespace
}  // namespace distributed
