#include "data/loader/field_column.h"

#include <algorithm>
#include <utility>

namespace data {

void FieldColumn::Reset(const SampleField& field, size_t samples) {
  size_ = NumbersSize(field).value();
  numbers_.assign(samples * size_, 0);
  bytes_.assign(size_ > 0 ? 0 : samples, std::nullopt);
}

void FieldColumn::Set(size_t sample, absl::Span<const uint8_t> value) {
  if (value.data() == nullptr) return;
  if (size_ > 0) {
    std::copy(value.begin(), value.end(), numbers_.begin() + sample * size_);
  } else {
    bytes_[sample].emplace(value.begin(), value.end());
  }
}

void FieldColumn::Move(size_t from, size_t to) {
  if (size_ > 0) {
    const auto begin = numbers_.begin() + from * size_;
    std::copy(begin, begin + size_, numbers_.begin() + to * size_);
  } else {
    bytes_[to] = std::exchange(bytes_[from], std::nullopt);
  }
}

void FieldColumn::Truncate(size_t samples) {
  numbers_.resize(samples * size_);
  bytes_.resize(size_ > 0 ? 0 : samples);
}

}  // namespace data
