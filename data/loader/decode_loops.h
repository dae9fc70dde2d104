// What loader_benchmark compares the loader with: one thread that uses libjpeg-turbo as everyone
// does.
#ifndef DATA_LOADER_DECODE_LOOPS_H_
#define DATA_LOADER_DECODE_LOOPS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/resizer.h"

namespace data {

// Decodes all of a JPEG with TurboJPEG and resizes its crop, with this package's vector code.
class FullDecodeLoop {
 public:
  FullDecodeLoop(const Augmentation& augmentation, PixelFormat format);
  ~FullDecodeLoop();

  absl::Status Run(const EncodedSample& jpeg, const View& view);

 private:
  void* const decoder_;
  const PixelWriter writer_;
  Resizer resizer_;
  ScratchBuffer pixels_;
  std::vector<uint8_t> image_;
};

// Decodes the Huffman codes of a JPEG and nothing else: what a decoder without restart markers has
// to do to get at the last row.
absl::Status DecodeEntropy(const EncodedSample& jpeg);

}  // namespace data

#endif  // DATA_LOADER_DECODE_LOOPS_H_
