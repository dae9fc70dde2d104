// From a sample's bytes to its place in a batch: decode the part the augmentation drew, resize,
// normalize.
#ifndef DATA_LOADER_PREPROCESSOR_H_
#define DATA_LOADER_PREPROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_device.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/verified_samples.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/pixel_writer.h"
#include "data/pixels/random.h"
#include "data/pixels/resizer.h"
#include "data/sources/dataset.h"

namespace data {

// For one thread at a time; allocates nothing per image once its buffers have grown.
class Preprocessor {
 public:
  // `augmentation` has passed CheckAugmentation. `verified`, which several preprocessors may share
  // and which outlives them, is of the dataset that Run is given. `jpeg_device` is ImageDecoder's.
  Preprocessor(const Augmentation& augmentation, PixelFormat format, VerifiedSamples* verified,
               std::shared_ptr<JpegDevice> jpeg_device = nullptr);

  // Bytes of an image.
  size_t image_size() const { return writer_.image_size(); }

  // Writes `sample`, which dataset.Read(index) has given, to `image`, as `random` draws it.
  // DataLoss if it is damaged, InvalidArgument if it is too small for the augmentation; errors name
  // the sample. `image` is then unspecified.
  absl::Status Run(const Dataset& dataset, const absl::StatusOr<EncodedSample>& sample,
                   int64_t index, Random random, uint8_t* image);

  // What cutout erased of the last image; may be empty.
  const Rect& erased() const { return erased_; }

 private:
  absl::StatusOr<PixelRegion> Decode(int64_t index, EncodedSample sample, const Rect& rect,
                                     int log2_shrink);
  absl::Status RunUnnamed(const absl::StatusOr<EncodedSample>& read, int64_t index, Random random,
                          uint8_t* image);
  void CopyShifted(const PixelRegion& region, const View& view, const PixelWriter& writer,
                   uint8_t* image);
  void WriteChanged(Random& random, uint8_t* image);

  const Augmentation augmentation_;
  const PixelWriter writer_;
  const PixelWriter rgb_writer_;  // of what augmentation_.policy changes
  VerifiedSamples& verified_;
  ImageDecoder decoder_;
  Resizer resizer_;
  ScratchBuffer rgb_;
  ScratchBuffer changing_;
  std::vector<int32_t> row_;
  Rect erased_;
};

}  // namespace data

#endif  // DATA_LOADER_PREPROCESSOR_H_
