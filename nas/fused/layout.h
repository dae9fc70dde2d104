#ifndef NAS_FUSED_LAYOUT_H_
#define NAS_FUSED_LAYOUT_H_

#include <cstddef>
#include <cstdint>

namespace nas::fused {

// The memory of a pass, handed out piece by piece.
template <typename T>
class Layout {
 public:
  // Two rounds: the first adds up sizes, the second hands out memory.
  T* Take(int64_t size) {
    T* piece = begin_ == nullptr ? nullptr : begin_ + used_;
    constexpr int64_t kAlignment = 64 / sizeof(T);
    used_ += (size + kAlignment - 1) / kAlignment * kAlignment;
    return piece;
  }
  void Begin(void* memory) {
    begin_ = static_cast<T*>(memory);
    used_ = 0;
  }
  size_t bytes() const { return used_ * sizeof(T); }

 private:
  T* begin_ = nullptr;
  int64_t used_ = 0;
};

}  // namespace nas::fused

#endif  // NAS_FUSED_LAYOUT_H_
