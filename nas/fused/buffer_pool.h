// Memory that every step needs again: given back, it is kept, so that the system does not have to
// clear its pages anew. Large buffers lie in huge pages where the system gives them: planes of 4 KB
// would each be a page of their own.
#ifndef NAS_FUSED_BUFFER_POOL_H_
#define NAS_FUSED_BUFFER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "ATen/core/Tensor.h"

namespace nas::fused {

class BufferPool {
 public:
  // Of the process.
  static BufferPool& Global();

  // Returns to the pool when the last owner goes; aligned to 64 bytes. LibTorch's profiler hears of
  // both, as of a tensor.
  std::shared_ptr<void> Get(size_t bytes);

  // A tensor in such memory, not initialized, without gradient.
  at::Tensor GetTensor(at::IntArrayRef sizes, at::ScalarType dtype);

 private:
  struct Buffer {
    size_t bytes;
    int64_t idle_since;  // Of calls to Get.
    std::unique_ptr<void, void (*)(void*)> memory;
  };

  void GiveBack(Buffer buffer);

  std::mutex mutex_;
  int64_t calls_ = 0;
  std::vector<Buffer> free_;
};

}  // namespace nas::fused

#endif  // NAS_FUSED_BUFFER_POOL_H_
