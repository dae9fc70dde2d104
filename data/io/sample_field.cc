#include "data/io/sample_field.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"

namespace data {
namespace {

struct TypeRow {
  FieldType type;
  const char* name;
  size_t size;
};

constexpr TypeRow kTypes[] = {
    {FieldType::kBytes, "bytes", 0},     {FieldType::kBool, "bool", 1},
    {FieldType::kInt8, "int8", 1},       {FieldType::kUint8, "uint8", 1},
    {FieldType::kInt16, "int16", 2},     {FieldType::kUint16, "uint16", 2},
    {FieldType::kInt32, "int32", 4},     {FieldType::kUint32, "uint32", 4},
    {FieldType::kInt64, "int64", 8},     {FieldType::kUint64, "uint64", 8},
    {FieldType::kFloat16, "float16", 2}, {FieldType::kFloat32, "float32", 4},
    {FieldType::kFloat64, "float64", 8},
};

constexpr int64_t kMaxNumbers = 1 << 28;

}  // namespace

FieldChoice ParseFieldChoice(absl::string_view text) {
  if (text == "all") return {.all = true};
  return {.names = absl::StrSplit(text, ',', absl::SkipEmpty())};
}

absl::string_view FieldTypeName(FieldType type) { return kTypes[static_cast<int>(type)].name; }

absl::StatusOr<FieldType> FieldTypeOfName(absl::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (name == row.name) return row.type;
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown type of a field: ", name));
}

size_t NumberSize(FieldType type) { return kTypes[static_cast<int>(type)].size; }

absl::StatusOr<size_t> NumbersSize(const SampleField& field) {
  int64_t count = 1;
  for (const int64_t extent : field.shape) {
    if (extent < 1 || extent > kMaxNumbers / count) {
      return absl::InvalidArgumentError(
          absl::StrCat("field ", PrintableName(field.name),
                       ": no shape of a sample's numbers: ", absl::StrJoin(field.shape, "x")));
    }
    count *= extent;
  }
  return count * NumberSize(field.type);
}

absl::Status CheckFieldSize(const SampleField& field, absl::Span<const uint8_t> value) {
  if (field.type == FieldType::kBytes) return absl::OkStatus();
  ASSIGN_OR_RETURN(const size_t size, NumbersSize(field));
  if (value.size() == size) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("field ", PrintableName(field.name), " has ",
                                          value.size(), " bytes in place of ", size));
}

absl::StatusOr<std::vector<int>> ChooseFields(const std::string& input,
                                              absl::Span<const SampleField> fields,
                                              const FieldChoice& choice) {
  const auto invalid = [&](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat(input, ": ", what...));
  };
  std::vector<int> chosen;
  if (choice.all) {
    for (size_t i = 0; i < fields.size(); ++i) chosen.push_back(i);
  } else {
    for (const std::string& name : choice.names) {
      const auto found = std::find_if(fields.begin(), fields.end(),
                                      [&](const SampleField& field) { return field.name == name; });
      if (found == fields.end()) {
        return invalid("samples have no field ", PrintableName(name),
                       fields.empty() ? "; they have none" : "; they have ",
                       DescribeFields(fields));
      }
      const int index = std::distance(fields.begin(), found);
      if (std::count(chosen.begin(), chosen.end(), index) > 0) {
        return invalid("field ", PrintableName(name), " is asked for twice");
      }
      chosen.push_back(index);
    }
  }
  if (chosen.size() > kMaxFields) {
    return invalid("samples have ", chosen.size(), " fields, from ",
                   PrintableName(fields[chosen.front()].name), " to ",
                   PrintableName(fields[chosen.back()].name), "; at most ", kMaxFields,
                   " can be taken: name those that are wanted (pack takes --fields)");
  }
  return chosen;
}

std::string DescribeFields(absl::Span<const SampleField> fields) {
  return absl::StrJoin(fields, ", ", [](std::string* out, const SampleField& field) {
    absl::StrAppend(out, PrintableName(field.name));
    if (field.type == FieldType::kBytes) return;
    absl::StrAppend(out, " (", FieldTypeName(field.type), field.shape.empty() ? "" : " ",
                    absl::StrJoin(field.shape, "x"), ")");
  });
}

}  // namespace data
