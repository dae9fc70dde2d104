#include "data/sources/beton_dataset.h"

#include <algorithm>
#include <limits>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/little_endian.h"
#include "data/sources/input_listing.h"

namespace data {
namespace {

constexpr uint16_t kVersion = 2;
constexpr size_t kHeaderSize = 24;
constexpr size_t kFieldSize = 1 + 16 + 1024;  // type, name, arguments
constexpr size_t kAllocationSize = 24;        // sample, pointer, size
constexpr size_t kImageRecordSize = 13;       // mode, width, height, pointer; packed
constexpr size_t kIntSize = 8;
constexpr uint8_t kIntField = 1, kImageField = 2;
constexpr uint8_t kJpegMode = 0, kRawMode = 1;
constexpr int64_t kMaxLabel = (1 << 20) - 1;

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

// Where things stand in the file.
struct BetonDataset::Layout {
  uint64_t samples = 0;
  uint64_t page_size = 0;
  uint64_t metadata = 0;
  uint64_t row_size = 0;
  uint64_t image_offset = 0;  // in a row
  uint64_t label_offset = 0;
  bool has_label = false;
  uint64_t data = 0;
  uint64_t allocations = 0;
};

absl::Status BetonDataset::Damaged(const std::string& what) const {
  return absl::DataLossError(absl::StrCat(file_.path(), ": ", what));
}

absl::StatusOr<std::unique_ptr<BetonDataset>> BetonDataset::Open(const std::string& path,
                                                                 const OpenOptions& options) {
  ASSIGN_OR_RETURN(RandomAccessFile file, RandomAccessFile::Open(path));
  auto dataset = absl::WrapUnique(new BetonDataset(std::move(file)));
  RETURN_IF_ERROR(dataset->Load());
  if (dataset->size() == 0) return dataset->Damaged("holds no samples");
  if (!options.allow_empty_classes) {
    RETURN_IF_ERROR(CheckNoClassIsEmpty(path, dataset->class_names_, Labels(*dataset)));
  }
  return dataset;
}

absl::Status BetonDataset::Load() {
  ASSIGN_OR_RETURN(const Layout layout, ReadLayout());
  RETURN_IF_ERROR(ReadMetadata(layout));
  return ReadAllocations(layout);
}

// A metadata row is a C struct of the fields' records: only an int has an alignment, 8.
absl::StatusOr<BetonDataset::Layout> BetonDataset::ReadLayout() const {
  uint8_t header[kHeaderSize];
  RETURN_IF_ERROR(file_.Read(0, sizeof(header), header));
  if (const auto version = LoadLittle<uint16_t>(header); version != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_.path(), ": not a .beton file of version 2, but ", version));
  }
  const auto fields = LoadLittle<uint16_t>(header + 2);
  Layout layout;
  layout.page_size = LoadLittle<uint32_t>(header + 4);
  layout.samples = LoadLittle<uint64_t>(header + 8);
  layout.allocations = LoadLittle<uint64_t>(header + 16);
  if (layout.allocations == 0) {
    return Damaged("no allocation table: its writer did not finish");
  }
  std::vector<uint8_t> descriptions(fields * kFieldSize);
  RETURN_IF_ERROR(file_.Read(kHeaderSize, descriptions.size(), descriptions.data()));
  int images = 0;
  uint64_t alignment = 1;
  for (uint16_t field = 0; field < fields; ++field) {
    const uint8_t type = descriptions[field * kFieldSize];
    if (type == kImageField) {
      ++images;
      layout.image_offset = layout.row_size;
      layout.row_size += kImageRecordSize;
    } else if (type == kIntField && !layout.has_label) {
      layout.has_label = true;
      alignment = kIntSize;
      layout.label_offset = RoundUp(layout.row_size, kIntSize);
      layout.row_size = layout.label_offset + kIntSize;
    } else {
      return absl::InvalidArgumentError(absl::StrCat(file_.path(), ": field ", field,
                                                     " is of type ", type,
                                                     "; an image and a label are read"));
    }
  }
  if (images != 1)
    return absl::InvalidArgumentError(absl::StrCat(file_.path(), ": no image field"));
  layout.row_size = RoundUp(layout.row_size, alignment);
  layout.metadata = kHeaderSize + descriptions.size();
  if (layout.page_size == 0 || layout.allocations > file_.size() ||
      layout.metadata > layout.allocations ||
      layout.samples > (layout.allocations - layout.metadata) / layout.row_size) {
    return Damaged("damaged header: metadata or allocation table leave the file");
  }
  layout.data = RoundUp(layout.metadata + layout.samples * layout.row_size, layout.page_size);
  return layout;
}

absl::Status BetonDataset::ReadMetadata(const Layout& layout) {
  std::vector<uint8_t> rows(layout.samples * layout.row_size);
  RETURN_IF_ERROR(file_.Read(layout.metadata, rows.size(), rows.data()));
  images_.resize(layout.samples);
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
  }
  for (int64_t i = 0; i < classes; ++i) class_names_.push_back(absl::StrCat(i));
  return absl::OkStatus();
}

// The table is in the order of writing, and the only place that knows how long a JPEG is.
absl::Status BetonDataset::ReadAllocations(const Layout& layout) {
  const uint64_t table_size = file_.size() - layout.allocations;
  if (table_size != layout.samples * kAllocationSize) {
    return Damaged(absl::StrCat("the allocation table has ", table_size, " bytes for ",
                                layout.samples, " samples"));
  }
  std::vector<uint8_t> table(table_size);
  RETURN_IF_ERROR(file_.Read(layout.allocations, table.size(), table.data()));
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // begin, end
  for (uint64_t row = 0; row < layout.samples; ++row) {
    const uint8_t* entry = table.data() + row * kAllocationSize;
    const auto sample = LoadLittle<uint64_t>(entry);
    const auto offset = LoadLittle<uint64_t>(entry + 8);
    const auto size = LoadLittle<uint64_t>(entry + 16);
    const std::string where = absl::StrCat("allocation ", row, " of sample ", sample);
    if (sample >= layout.samples || images_[sample].offset != offset || images_[sample].size != 0) {
      return Damaged(absl::StrCat(where, " is not that of the metadata"));
    }
    Image& image = images_[sample];
    if (offset < layout.data || offset > layout.allocations || size == 0 ||
        size > layout.allocations - offset || size > std::numeric_limits<uint32_t>::max() ||
        (image.encoding == Encoding::kRawRgb && size != uint64_t{3} * image.width * image.height)) {
      return Damaged(absl::StrCat(where, ": ", size, " bytes at ", offset, " make no sense"));
    }
    image.size = static_cast<uint32_t>(size);
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

std::string BetonDataset::name(int64_t index) const { return absl::StrCat("#", index); }

absl::StatusOr<EncodedSample> BetonDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const Image& image = images_[index];
  uint8_t* bytes = buffer.Reserve(image.size);
  RETURN_IF_ERROR(file_.Read(image.offset, image.size, bytes));
  EncodedSample sample;
  sample.encoding = image.encoding;
  sample.bytes = {bytes, image.size};
  sample.width = image.width;
  sample.height = image.height;
  return sample;
}

void BetonDataset::WillRead(int64_t first, int64_t last) const {
  for (int64_t i = first; i < last; ++i) file_.WillRead(images_[i].offset, images_[i].size);
}

}  // namespace data
