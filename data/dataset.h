// A set of labelled, encoded images that can be read by index: what a Loader decodes and what pack
// turns into shards. OpenDataset (open_dataset.h) makes one from a path.
#ifndef DATA_DATASET_H_
#define DATA_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/scratch_buffer.h"

namespace data {

// How the bytes of a sample are to be read. The values are those of the shard format.
enum class Encoding : uint8_t {
  kJpeg = 0,
  kRawRgb = 1,  // height x width x 3, one byte each
  kPng = 2,
};

// Where the entropy-coded segments between a JPEG's restart markers stand. Each MCU row is
// `columns` segments of equally many MCUs; offsets[r * columns + c] is the first byte of a segment,
// counted from the JPEG's first byte, and the last entry is the first byte after EOI: so a segment
// and the marker behind it end where the next entry points. Empty where nothing is known.
struct RestartIndex {
  int rows = 0;
  int columns = 0;
  absl::Span<const uint32_t> offsets;  // rows * columns + 1
};

struct EncodedSample {
  Encoding encoding = Encoding::kJpeg;
  absl::Span<const uint8_t> bytes;
  // Pixels; 0 where only the decoder can tell.
  int width = 0;
  int height = 0;
  RestartIndex restarts;
  // Exactly these bytes were once decoded whole without an error or a warning (a checksum vouches
  // for it). Otherwise part of an image must not be used before all of it was decoded.
  bool verified = false;
};

// All methods may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;

  // Labels are indices into this list.
  virtual const std::vector<std::string>& class_names() const = 0;

  virtual int64_t label(int64_t index) const = 0;

  // What a person looks for to find the sample: a path, or a file and a number in it.
  virtual std::string name(int64_t index) const = 0;

  // The sample's bytes, which live in `buffer` until its next use. DataLoss if they are damaged as
  // far as can be told without decoding; errors name the file and the sample.
  virtual absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const = 0;

  // Says that samples [first, last) will be read soon. A hint.
  virtual void WillRead(int64_t first, int64_t last) const {}
};

// Every sample's label, in order: what StratifiedSplit takes.
inline std::vector<int64_t> Labels(const Dataset& dataset) {
  std::vector<int64_t> labels(dataset.size());
  for (int64_t i = 0; i < dataset.size(); ++i) labels[i] = dataset.label(i);
  return labels;
}

}  // namespace data

#endif  // DATA_DATASET_H_
