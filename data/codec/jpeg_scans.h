// Bounds the work that a JPEG can make.
#ifndef DATA_CODEC_JPEG_SCANS_H_
#define DATA_CODEC_JPEG_SCANS_H_

#include "data/codec/libjpeg.h"

namespace data {

// Encoders write about ten; a file of a few bytes for each could ask for a pass over the whole
// image a hundred thousand times.
inline constexpr int kMaxJpegScans = 100;

// Makes a decompressor whose errors are a JpegErrorHandler's fail at the scan after that. Must
// outlive it.
class JpegScanLimit {
 public:
  // To be called once the decompressor is created.
  void Install(jpeg_decompress_struct& jpeg);

 private:
  static void OnProgress(j_common_ptr object);

  jpeg_progress_mgr manager_ = {};
};

}  // namespace data

#endif  // DATA_CODEC_JPEG_SCANS_H_
