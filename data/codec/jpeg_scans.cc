#include "data/codec/jpeg_scans.h"

#include "data/codec/jpeg_error.h"

namespace data {

void JpegScanLimit::Install(jpeg_decompress_struct& jpeg) {
  manager_.progress_monitor = &OnProgress;
  jpeg.progress = &manager_;
}

// libjpeg calls this for every row of blocks that it reads ahead.
void JpegScanLimit::OnProgress(j_common_ptr object) {
  if (!object->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(object)->input_scan_number > kMaxJpegScans) {
    JpegErrorHandler::Fail(object, "a JPEG of more than 100 scans");
  }
}

}  // namespace data
