// Entropy decoding of sequential JPEGs, faster than libjpeg's, which does all else.
//
// libjpeg decodes a code at a time, and leaves its fast loop where there are restart markers. Here
// one look at a table gives the zeros, the coefficient and the bits that both take.
#ifndef DATA_CODEC_JPEG_HUFFMAN_H_
#define DATA_CODEC_JPEG_HUFFMAN_H_

#include <memory>

#include "data/codec/libjpeg.h"

namespace data {

// For one decompressor, whose errors are a JpegErrorHandler's and whose source is in memory.
class JpegHuffman {
 public:
  JpegHuffman();
  ~JpegHuffman();

  // Takes over what jpeg_start_decompress has begun. Images of several scans or with another coding
  // are left to libjpeg. What libjpeg decodes without a warning gives its coefficients; codes that do
  // not exist, missing restart markers and an early end fail. The image is to be aborted behind the
  // last row that is wanted, not finished: libjpeg does not know how far its bytes were read.
  void TakeOver(jpeg_decompress_struct& jpeg);

 private:
  struct Decoder;
  const std::unique_ptr<Decoder> decoder_;
};

}  // namespace data

#endif  // DATA_CODEC_JPEG_HUFFMAN_H_
