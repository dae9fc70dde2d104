// What a sample has besides its image and its label: a caption, boxes, a score.
#ifndef DATA_IO_SAMPLE_FIELD_H_
#define DATA_IO_SAMPLE_FIELD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace data {

// The values are little-endian, as NumPy's types of these names.
enum class FieldType {
  kBytes,  // as many as there are, sample by sample
  kBool,
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64,
};

struct SampleField {
  std::string name;
  FieldType type = FieldType::kBytes;
  std::vector<int64_t> shape = {};  // of a sample's numbers; empty: one number, or bytes

  bool operator==(const SampleField&) const = default;
};

// Which of the fields that an input has are wanted.
struct FieldChoice {
  bool all = false;
  std::vector<std::string> names = {};  // unless `all`

  bool any() const { return all || !names.empty(); }
};

// "all", or names with commas between them.
FieldChoice ParseFieldChoice(absl::string_view text);

// More are an error: names of files that are no fields.
inline constexpr size_t kMaxFields = 64;

// "bytes", "float32", …
absl::string_view FieldTypeName(FieldType type);

// InvalidArgument if there is no such type.
absl::StatusOr<FieldType> FieldTypeOfName(absl::string_view name);

// Bytes of one number; 0 for kBytes.
size_t NumberSize(FieldType type);

// Bytes of a sample's numbers; 0 for kBytes. InvalidArgument if the shape has no elements or far
// too many.
absl::StatusOr<size_t> NumbersSize(const SampleField& field);

// DataLoss unless `value` may be one of `field`'s: bytes, which may be missing, or as many as its
// numbers have.
absl::Status CheckFieldSize(const SampleField& field, absl::Span<const uint8_t> value);

// The wanted ones' indices into `fields`, in the order of the choice. InvalidArgument, which names
// `input`, for a name that is missing or stands twice, and for more than kMaxFields.
absl::StatusOr<std::vector<int>> ChooseFields(const std::string& input,
                                              absl::Span<const SampleField> fields,
                                              const FieldChoice& choice);

// "json, boxes (float32 4)", for people.
std::string DescribeFields(absl::Span<const SampleField> fields);

}  // namespace data

#endif  // DATA_IO_SAMPLE_FIELD_H_
