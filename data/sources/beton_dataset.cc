#include "data/sources/beton_dataset.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "data/io/little_endian.h"
#include "data/io/printable_name.h"
#include "data/io/sample_field.h"
#include "data/sources/beton_layout.h"
#include "data/sources/input_listing.h"

namespace data {
namespace {

constexpr size_t kAllocationSize = 24;  // sample, pointer, size
constexpr uint8_t kJpegMode = 0, kRawMode = 1;
constexpr int64_t kMaxLabel = (1 << 20) - 1;

}  // namespace

absl::Status BetonDataset::Damaged(const std::string& what) const {
  return absl::DataLossError(absl::StrCat(file_.path(), ": ", what));
}

absl::StatusOr<std::unique_ptr<BetonDataset>> BetonDataset::Open(const std::string& path,
                                                                 const OpenOptions& options) {
  ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::Open(path));
  auto dataset = absl::WrapUnique(new BetonDataset(std::move(file)));
  RETURN_IF_ERROR(dataset->Load(options.fields));
  if (dataset->size() == 0) return dataset->Damaged("holds no samples");
  if (!options.allow_empty_classes) {
    RETURN_IF_ERROR(CheckNoClassIsEmpty(path, dataset->class_names_, Labels(*dataset)));
  }
  return dataset;
}

absl::Status BetonDataset::Load(const FieldChoice& choice) {
  ASSIGN_OR_RETURN(const BetonLayout layout, ReadBetonLayout(file_));
  RETURN_IF_ERROR(ReadMetadata(layout));
  RETURN_IF_ERROR(ReadAllocations(layout));
  return ChooseColumns(layout, choice);
}

absl::Status BetonDataset::ReadMetadata(const BetonLayout& layout) {
  std::vector<uint8_t> rows(layout.samples * layout.row_size);
  RETURN_IF_ERROR(file_.Read(layout.metadata, rows.size(), rows.data()));
  images_.resize(layout.samples);
  values_.reserve(layout.samples * layout.columns.size());
  int64_t classes = 1;
  for (uint64_t i = 0; i < layout.samples; ++i) {
    const uint8_t* row = rows.data() + i * layout.row_size;
    const uint8_t* record = row + layout.image_offset;
    Image& image = images_[i];
    image.width = LoadLittle<uint16_t>(record + 1);
    image.height = LoadLittle<uint16_t>(record + 3);
    image.offset = LoadLittle<uint64_t>(record + 5);
    const int64_t label = layout.has_label ? LoadLittle<int64_t>(row + layout.label_offset) : 0;
    if (record[0] > kRawMode || image.width == 0 || image.height == 0 || label < 0 ||
        label > kMaxLabel) {
      return Damaged(absl::StrCat("metadata of sample ", i, ": mode ", record[0], ", ", image.width,
                                  "x", image.height, " pixels, label ", label));
    }
    image.encoding = record[0] == kJpegMode ? Encoding::kJpeg : Encoding::kRawRgb;
    image.label = static_cast<int32_t>(label);
    classes = std::max(classes, label + 1);
    for (const BetonLayout::Column& column : layout.columns) {
      const uint64_t size = column.has_size()
                                ? LoadLittle<uint64_t>(row + column.offset + sizeof(uint64_t))
                                : column.size;
      if (size > std::numeric_limits<uint32_t>::max()) {
        return Damaged(absl::StrCat("metadata of sample ", i, ": ", size, " bytes of ",
                                    PrintableName(column.field.name)));
      }
      values_.push_back({LoadLittle<uint64_t>(row + column.offset), static_cast<uint32_t>(size)});
    }
  }
  for (int64_t i = 0; i < classes; ++i) class_names_.push_back(absl::StrCat(i));
  return absl::OkStatus();
}

// The table is in the order of writing, and the only place that knows how long a JPEG is.
absl::Status BetonDataset::ReadAllocations(const BetonLayout& layout) {
  const size_t columns = layout.columns.size();
  const uint64_t of_sample =
      1 + std::count_if(layout.columns.begin(), layout.columns.end(),
                        [](const BetonLayout::Column& column) { return !column.is_number(); });
  const uint64_t table_size = file_.size() - layout.allocations;
  if (table_size != layout.samples * of_sample * kAllocationSize) {
    return Damaged(absl::StrCat("the allocation table has ", table_size, " bytes for ",
                                layout.samples, " samples"));
  }
  std::vector<uint8_t> table(table_size);
  RETURN_IF_ERROR(file_.Read(layout.allocations, table.size(), table.data()));
  std::vector<bool> found(values_.size());
  // Whether an allocation is that of a field that none was of before.
  const auto is_of_field = [&](uint64_t sample, uint64_t offset, uint64_t size) {
    for (size_t c = 0; c < columns; ++c) {
      const size_t at = sample * columns + c;
      if (!layout.columns[c].is_number() && !found[at] && values_[at].word == offset &&
          values_[at].size == size) {
        found[at] = true;
        return true;
      }
    }
    return false;
  };
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // begin, end
  for (uint64_t row = 0; row < layout.samples * of_sample; ++row) {
    const uint8_t* entry = table.data() + row * kAllocationSize;
    const auto sample = LoadLittle<uint64_t>(entry);
    const auto offset = LoadLittle<uint64_t>(entry + 8);
    const auto size = LoadLittle<uint64_t>(entry + 16);
    const std::string where = absl::StrCat("allocation ", row, " of sample ", sample);
    const bool of_field = sample < layout.samples && is_of_field(sample, offset, size);
    if (of_field && size == 0) continue;
    if (sample >= layout.samples ||
        (!of_field && (images_[sample].offset != offset || images_[sample].size != 0))) {
      return Damaged(absl::StrCat(where, " is not that of the metadata"));
    }
    Image& image = images_[sample];
    if (offset < layout.data || offset > layout.allocations || size == 0 ||
        size > layout.allocations - offset || size > std::numeric_limits<uint32_t>::max() ||
        (!of_field && image.encoding == Encoding::kRawRgb &&
         size != uint64_t{3} * image.width * image.height)) {
      return Damaged(absl::StrCat(where, ": ", size, " bytes at ", offset, " make no sense"));
    }
    if (!of_field) image.size = static_cast<uint32_t>(size);
    extents.emplace_back(offset, offset + size);
  }
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) {
      return Damaged(absl::StrCat("two samples share byte ", extents[i].first));
    }
  }
  return absl::OkStatus();
}

// Leaves of the values those of the chosen columns.
absl::Status BetonDataset::ChooseColumns(const BetonLayout& layout, const FieldChoice& choice) {
  std::vector<SampleField> there;
  for (const BetonLayout::Column& column : layout.columns) there.push_back(column.field);
  ASSIGN_OR_RETURN(const std::vector<int> chosen, ChooseFields(file_.path(), there, choice));
  std::vector<Value> values;
  values.reserve(images_.size() * chosen.size());
  for (size_t i = 0; i < images_.size(); ++i) {
    for (const int column : chosen) values.push_back(values_[i * there.size() + column]);
  }
  values_ = std::move(values);
  for (const int index : chosen) {
    fields_.push_back(there[index]);
    inline_.push_back(layout.columns[index].is_number());
    if (layout.columns[index].kind != BetonLayout::kJson) continue;
    // Its last byte is a zero.
    for (size_t i = 0; i < images_.size(); ++i) {
      uint32_t& size = values_[i * chosen.size() + fields_.size() - 1].size;
      size -= std::min<uint32_t>(size, 1);
    }
  }
  return absl::OkStatus();
}

std::string BetonDataset::name(int64_t index) const { return absl::StrCat("#", index); }

absl::StatusOr<EncodedSample> BetonDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const Image& image = images_[index];
  const auto values = absl::MakeConstSpan(values_).subspan(index * fields_.size(), fields_.size());
  uint64_t total = image.size;
  for (const Value& value : values) total += value.size;
  uint8_t* to = buffer.Reserve(total);
  RETURN_IF_ERROR(file_.Read(image.offset, image.size, to));
  EncodedSample sample;
  sample.encoding = image.encoding;
  sample.bytes = {to, image.size};
  sample.width = image.width;
  sample.height = image.height;
  to += image.size;
  for (size_t f = 0; f < values.size(); ++f) {
    const Value& value = values[f];
    if (inline_[f]) {
      std::memcpy(to, &value.word, value.size);
    } else if (value.size > 0) {
      RETURN_IF_ERROR(file_.Read(value.word, value.size, to));
    }
    sample.fields.emplace_back(to, value.size);
    to += value.size;
  }
  return sample;
}

void BetonDataset::WillRead(int64_t first, int64_t last) const {
  for (int64_t i = first; i < last; ++i) file_.WillRead(images_[i].offset, images_[i].size);
}

}  // namespace data
