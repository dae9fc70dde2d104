// How the fields of a .beton file lie in it.
#ifndef DATA_SOURCES_BETON_LAYOUT_H_
#define DATA_SOURCES_BETON_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "data/io/random_access_file.h"
#include "data/io/sample_field.h"

namespace data {

struct BetonLayout {
  // Types of fields, as the file numbers them.
  enum Kind : uint8_t {
    kFloat = 0,
    kInt = 1,
    kImage = 2,
    kBytes = 3,
    kArray = 4,
    kJson = 5,
    kTensor = 6,  // as an array
  };

  // A field besides image and label.
  struct Column {
    Kind kind = kBytes;
    uint64_t offset = 0;  // in a row
    SampleField field;
    size_t size = 0;  // bytes of its numbers

    bool is_number() const { return kind == kInt || kind == kFloat; }
    bool has_size() const { return kind == kBytes || kind == kJson; }
  };

  uint64_t samples = 0;
  uint64_t page_size = 0;
  uint64_t metadata = 0;  // where the rows begin, one for each sample
  uint64_t row_size = 0;
  uint64_t image_offset = 0;  // in a row
  uint64_t label_offset = 0;
  bool has_label = false;
  std::vector<Column> columns;
  uint64_t data = 0;         // where the pages begin
  uint64_t allocations = 0;  // and where they end
};

// Reads header and descriptions of the fields. InvalidArgument or DataLoss, naming file and field.
absl::StatusOr<BetonLayout> ReadBetonLayout(const RandomAccessFile& file);

}  // namespace data

#endif  // DATA_SOURCES_BETON_LAYOUT_H_
