#include "nas/fused/buffer_pool.h"

#include <cstdint>
#include <memory>

#include "c10/core/Allocator.h"
#include "c10/util/ThreadLocalDebugInfo.h"
#include "gtest/gtest.h"

namespace nas::fused {
namespace {

class Meter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) override {
    current += bytes;
  }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t current = 0;
};

TEST(BufferPoolTest, WhatIsGivenBackServesAgain) {
  BufferPool pool;
  void* first;
  {
    const std::shared_ptr<void> buffer = pool.Get(1000);
    first = buffer.get();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0);
    EXPECT_NE(pool.Get(1500).get(), first) << "it has an owner";
  }
  EXPECT_EQ(pool.Get(800).get(), first);
  EXPECT_NE(pool.Get(700).get(), first) << "too large for so little";
}

TEST(BufferPoolTest, TensorsGiveBackTheirMemoryToo) {
  BufferPool pool;
  void* first;
  {
    const at::Tensor tensor = pool.GetTensor({2, 3, 40}, at::kFloat);
    first = tensor.mutable_data_ptr();
    const at::Tensor view = tensor[1];
  }
  EXPECT_EQ(pool.GetTensor({240}, at::kFloat).mutable_data_ptr(), first);
}

TEST(BufferPoolTest, TheProfilerHearsOfIt) {
  BufferPool pool;
  const auto meter = std::make_shared<Meter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  for (int i = 0; i < 2; ++i) {
    const std::shared_ptr<void> buffer = pool.Get(1000);
    EXPECT_EQ(meter->current, 1000);
  }
  EXPECT_EQ(meter->current, 0);
}

}  // namespace
}  // namespace nas::fused
