// Images for tests: drawn, compressed as asked, and kept in memory.
#ifndef DATA_TEST_IMAGES_H_
#define DATA_TEST_IMAGES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace data {

using Bytes = std::vector<uint8_t>;

// width x height RGB pixels with edges, gradients and noise, different for every seed.
Bytes DrawPicture(int width, int height, uint64_t seed);

struct JpegOptions {
  int quality = 90;
  int components = 3;       // 1: gray; 3: YCbCr; 4: Adobe CMYK
  int sampling_across = 2;  // of the first component; the others have 1
  int sampling_down = 2;
  bool progressive = false;
  int restart_rows = 0;   // MCU rows between restart markers; 0: none
  bool ycck = false;      // with 4 components
  std::string app1 = {};  // content of an APP1 segment, if not empty
};

// The content of an APP1 segment that gives an EXIF orientation, in little- or big-endian order.
std::string MakeExif(int orientation, bool little);

Bytes MakeJpeg(int width, int height, uint64_t seed, const JpegOptions& options = {});

Bytes MakePng(int width, int height, uint64_t seed);

// The tar archive of these files, in this order.
std::string MakeTar(const std::vector<std::pair<std::string, std::string>>& files);

// A .beton file of two samples: a 16x8 JPEG with label 1, and 3x2 raw pixels with label 0. Its
// allocation table lists the second one first, as two writers may.
std::string MakeBeton(const std::string& jpeg, const std::string& raw);

// A dataset in memory: of two classes, "even" and "odd".
class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(std::vector<EncodedSample> samples, std::vector<Bytes> bytes);

  int64_t size() const override { return samples_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int64_t label(int64_t index) const override { return index % 2; }
  std::string name(int64_t index) const override { return "image" + std::to_string(index); }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override;

 private:
  const std::vector<EncodedSample> samples_;
  const std::vector<Bytes> bytes_;
  const std::vector<std::string> class_names_ = {"even", "odd"};
};

// JPEGs of unknown size, as a folder has them.
MemoryDataset JpegDataset(std::vector<Bytes> jpegs);

}  // namespace data

#endif  // DATA_TEST_IMAGES_H_
