// A field of a batch's samples.
#ifndef DATA_LOADER_FIELD_COLUMN_H_
#define DATA_LOADER_FIELD_COLUMN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "data/io/sample_field.h"

namespace data {

class FieldColumn {
 public:
  // Without values, of so many samples. The field has passed NumbersSize.
  void Reset(const SampleField& field, size_t samples);

  // Different samples' values may be set by several threads at once. Without data: there is none.
  void Set(size_t sample, absl::Span<const uint8_t> value);

  // Sample `to` becomes sample `from`, whose value is then unspecified.
  void Move(size_t from, size_t to);

  // Only the first so many samples are left.
  void Truncate(size_t samples);

  // Of a field of numbers: [samples, shape of the field], little-endian.
  absl::Span<const uint8_t> numbers() const { return numbers_; }

  // Of a field of bytes: of each sample, if it has any.
  absl::Span<const std::optional<std::string>> bytes() const { return bytes_; }

 private:
  size_t size_ = 0;  // of a sample's numbers; 0: bytes
  std::vector<uint8_t> numbers_;
  std::vector<std::optional<std::string>> bytes_;
};

}  // namespace data

#endif  // DATA_LOADER_FIELD_COLUMN_H_
