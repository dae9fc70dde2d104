#include "nas/fused/buffer_pool.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "ATen/ops/from_blob.h"
#include "c10/core/Allocator.h"
#include "c10/core/Device.h"
#include "c10/core/ScalarType.h"
#include "c10/util/accumulate.h"

namespace nas::fused {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
// A buffer serves for less, but not for so much less that memory lies idle.
constexpr size_t kMostSlack = 4;  // A quarter.
// Many times those of a step: what idles for longer is of a size no longer asked for.
constexpr int64_t kLongestIdle = 1000;

// bytes < 0: given back.
void Report(void* memory, int64_t bytes) {
  c10::reportMemoryUsageToProfiler(memory, bytes, /*total_allocated=*/0, /*total_reserved=*/0,
                                   c10::Device(c10::DeviceType::CPU));
}

void* Allocate(size_t bytes) {
  // Of a buffer of few huge pages too much would lie idle at its end.
  const bool huge = bytes >= kMostSlack * kHugePage;
  const size_t alignment = huge ? kHugePage : kAlignment;
  const size_t size = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, size);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (huge) madvise(memory, size, MADV_HUGEPAGE);  // A wish: without it, the pages are small.
#endif
  return memory;
}

}  // namespace

BufferPool& BufferPool::Global() {
  static BufferPool& pool = *new BufferPool;
  return pool;
}

std::shared_ptr<void> BufferPool::Get(size_t bytes) {
  Buffer buffer{bytes, 0, {nullptr, &std::free}};
  {
    const std::lock_guard lock(mutex_);
    ++calls_;
    std::erase_if(free_, [this](const Buffer& b) { return b.idle_since + kLongestIdle < calls_; });
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      const bool fits = it->bytes >= bytes && it->bytes <= bytes + bytes / kMostSlack;
      if (fits && (best == free_.end() || it->bytes < best->bytes)) best = it;
    }
    if (best != free_.end()) {
      buffer = std::move(*best);
      free_.erase(best);
    }
  }
  if (buffer.memory == nullptr) buffer.memory.reset(Allocate(bytes));
  void* const memory = buffer.memory.get();
  Report(memory, static_cast<int64_t>(buffer.bytes));
  return {memory, [this, held = std::make_shared<Buffer>(std::move(buffer))](void*) {
            GiveBack(std::move(*held));
          }};
}

at::Tensor BufferPool::GetTensor(at::IntArrayRef sizes, at::ScalarType dtype) {
  const std::shared_ptr<void> memory =
      Get(c10::multiply_integers(sizes) * c10::elementSize(dtype));
  return at::from_blob(memory.get(), sizes, [memory](void*) {}, dtype);
}

void BufferPool::GiveBack(Buffer buffer) {
  Report(buffer.memory.get(), -static_cast<int64_t>(buffer.bytes));
  const std::lock_guard lock(mutex_);
  buffer.idle_since = calls_;
  free_.push_back(std::move(buffer));
}

}  // namespace nas::fused
