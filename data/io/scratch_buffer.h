// Memory a thread uses again for every image: it grows, is never zeroed and never shrinks.
#ifndef DATA_IO_SCRATCH_BUFFER_H_
#define DATA_IO_SCRATCH_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace data {

class ScratchBuffer {
 public:
  // At least `size` bytes, with unspecified content. Invalidates what was returned before.
  uint8_t* Reserve(size_t size) {
    if (size > capacity_) {
      bytes_.reset();
      capacity_ = size + size / 4;
      bytes_ = std::make_unique_for_overwrite<uint8_t[]>(capacity_);
    }
    return bytes_.get();
  }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t capacity_ = 0;
};

}  // namespace data

#endif  // DATA_IO_SCRATCH_BUFFER_H_
