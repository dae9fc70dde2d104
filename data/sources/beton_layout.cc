#include "data/sources/beton_layout.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "data/io/little_endian.h"
#include "data/io/printable_name.h"
#include "nlohmann/json.hpp"

namespace data {
namespace {

constexpr uint16_t kVersion = 2;
constexpr size_t kHeaderSize = 24;
constexpr size_t kNameSize = 16;
constexpr size_t kFieldSize = 1 + kNameSize + 1024;  // type, name, arguments
constexpr size_t kImageRecordSize = 13;              // mode, width, height, pointer; packed
constexpr size_t kBytesRecordSize = 16;              // pointer, size; packed
constexpr size_t kNumberSize = 8;                    // a number, or the pointer of an array
constexpr size_t kMaxDimensions = 32;

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// NumPy's "<f4".
absl::StatusOr<FieldType> TypeOfNumpy(absl::string_view text) {
  static constexpr std::pair<const char*, FieldType> kTypes[] = {
      {"b1", FieldType::kBool},    {"i1", FieldType::kInt8},    {"u1", FieldType::kUint8},
      {"i2", FieldType::kInt16},   {"u2", FieldType::kUint16},  {"i4", FieldType::kInt32},
      {"u4", FieldType::kUint32},  {"i8", FieldType::kInt64},   {"u8", FieldType::kUint64},
      {"f2", FieldType::kFloat16}, {"f4", FieldType::kFloat32}, {"f8", FieldType::kFloat64},
  };
  for (const auto& [name, type] : kTypes) {
    if (text == absl::StrCat("<", name) || text == absl::StrCat("|", name)) return type;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("is an array of ", PrintableName(text), ", which is not read"));
}

// Of an array: its shape, up to the first 0, and its type as JSON: [["", "<f4"]].
absl::Status ReadArrayArguments(const uint8_t* arguments, SampleField& field) {
  for (size_t i = 0; i < kMaxDimensions; ++i) {
    const auto extent = LoadLittle<uint64_t>(arguments + i * sizeof(uint64_t));
    if (extent == 0) break;
    field.shape.push_back(static_cast<int64_t>(extent));
  }
  const uint8_t* type = arguments + kMaxDimensions * sizeof(uint64_t);
  const auto length = LoadLittle<uint64_t>(type);
  if (length > kFieldSize - 1 - kNameSize - (kMaxDimensions + 1) * sizeof(uint64_t)) {
    return absl::InvalidArgumentError("is an array of no type");
  }
  type += sizeof(uint64_t);
  const auto json = nlohmann::json::parse(type, type + length, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.size() != 1 || !json[0].is_array() || json[0].size() != 2 ||
      !json[0][1].is_string()) {
    return absl::InvalidArgumentError("is an array of no simple type");
  }
  ASSIGN_OR_RETURN(field.type, TypeOfNumpy(json[0][1].get<std::string>()));
  return NumbersSize(field).status();
}

}  // namespace

// A metadata row is a C struct of the fields' records: only a number and an array's pointer have an
// alignment, 8.
absl::StatusOr<BetonLayout> ReadBetonLayout(const RandomAccessFile& file) {
  uint8_t header[kHeaderSize];
  RETURN_IF_ERROR(file.Read(0, sizeof(header), header));
  if (const auto version = LoadLittle<uint16_t>(header); version != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), ": not a .beton file of version 2, but ", version));
  }
  const auto fields = LoadLittle<uint16_t>(header + 2);
  BetonLayout layout;
  layout.page_size = LoadLittle<uint32_t>(header + 4);
  layout.samples = LoadLittle<uint64_t>(header + 8);
  layout.allocations = LoadLittle<uint64_t>(header + 16);
  if (layout.allocations == 0) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": no allocation table: its writer did not finish"));
  }
  std::vector<uint8_t> descriptions(fields * kFieldSize);
  RETURN_IF_ERROR(file.Read(kHeaderSize, descriptions.size(), descriptions.data()));
  int images = 0;
  uint64_t alignment = 1;
  for (uint16_t index = 0; index < fields; ++index) {
    const uint8_t* description = descriptions.data() + index * kFieldSize;
    const char* name = reinterpret_cast<const char*>(description) + 1;
    SampleField field{std::string(name, strnlen(name, kNameSize))};
    const auto unread = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(file.path(), ": field ", index, ", ",
                                                     PrintableName(field.name), ", ", what));
    };
    const auto kind = static_cast<BetonLayout::Kind>(description[0]);
    if (kind == BetonLayout::kImage) {
      if (++images > 1) return unread("is a second image, which is not read");
      layout.image_offset = layout.row_size;
      layout.row_size += kImageRecordSize;
      continue;
    }
    if (kind == BetonLayout::kFloat) {
      field.type = FieldType::kFloat64;
    } else if (kind == BetonLayout::kInt) {
      field.type = FieldType::kInt64;
    } else if (kind == BetonLayout::kArray || kind == BetonLayout::kTensor) {
      if (const absl::Status status = ReadArrayArguments(description + 1 + kNameSize, field);
          !status.ok()) {
        return unread(status.message());
      }
    } else if (kind != BetonLayout::kBytes && kind != BetonLayout::kJson) {
      return unread(absl::StrCat("is of type ", description[0], ", which is not read"));
    }
    const bool bytes = kind == BetonLayout::kBytes || kind == BetonLayout::kJson;
    if (!bytes) alignment = kNumberSize;
    const uint64_t offset = bytes ? layout.row_size : RoundUp(layout.row_size, kNumberSize);
    ASSIGN_OR_RETURN(const size_t size, NumbersSize(field));
    layout.row_size = offset + (bytes ? kBytesRecordSize : kNumberSize);
    if (kind == BetonLayout::kInt && !layout.has_label) {
      layout.has_label = true;
      layout.label_offset = offset;
    } else {
      layout.columns.push_back({kind, offset, std::move(field), size});
    }
  }
  if (images != 1) return absl::InvalidArgumentError(absl::StrCat(file.path(), ": no image field"));
  layout.row_size = RoundUp(layout.row_size, alignment);
  layout.metadata = kHeaderSize + descriptions.size();
  if (layout.page_size == 0 || layout.allocations > file.size() ||
      layout.metadata > layout.allocations ||
      layout.samples > (layout.allocations - layout.metadata) / layout.row_size) {
    return absl::DataLossError(
        absl::StrCat(file.path(), ": damaged header: metadata or allocation table leave the file"));
  }
  layout.data = RoundUp(layout.metadata + layout.samples * layout.row_size, layout.page_size);
  return layout;
}

}  // namespace data
