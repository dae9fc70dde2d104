#include "data/loader/batch_pool.h"

#include <utility>

namespace data {

BatchPool::BatchPool(size_t pixel_bytes, Allocate allocate)
    : pixel_bytes_(pixel_bytes),
      allocate_(std::move(allocate)),
      free_(std::make_shared<FreeList>()) {}

std::shared_ptr<BatchBuffer> BatchPool::Take() {
  std::unique_ptr<BatchBuffer> buffer;
  {
    const std::lock_guard lock(free_->mutex);
    if (!free_->buffers.empty()) {
      buffer = std::move(free_->buffers.back());
      free_->buffers.pop_back();
    }
  }
  if (buffer == nullptr) {
    buffer = std::make_unique<BatchBuffer>();
    buffer->pixels = allocate_ ? allocate_(pixel_bytes_)
                               : std::shared_ptr<uint8_t>(new uint8_t[pixel_bytes_],
                                                          std::default_delete<uint8_t[]>());
  }
  return std::shared_ptr<BatchBuffer>(buffer.release(), [free = free_](BatchBuffer* returned) {
    const std::lock_guard lock(free->mutex);
    free->buffers.emplace_back(returned);
  });
}

void BatchPool::Clear() {
  const std::lock_guard lock(free_->mutex);
  free_->buffers.clear();
}

}  // namespace data
