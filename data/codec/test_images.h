// Images for tests: drawn, and compressed as asked.
#ifndef DATA_CODEC_TEST_IMAGES_H_
#define DATA_CODEC_TEST_IMAGES_H_

#include <cstdint>
#include <string>
#include <vector>

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
  bool interleaved = true;  // false: a scan for each of 3 components, not with progressive
  int restart_rows = 0;     // MCU rows between restart markers; 0: none
  bool ycck = false;        // with 4 components
  std::string app1 = {};    // content of an APP1 segment, if not empty
};

// The content of an APP1 segment that gives an EXIF orientation, in little- or big-endian order.
std::string MakeExif(int orientation, bool little);

Bytes MakeJpeg(int width, int height, uint64_t seed, const JpegOptions& options = {});

Bytes MakePng(int width, int height, uint64_t seed);

}  // namespace data

#endif  // DATA_CODEC_TEST_IMAGES_H_
