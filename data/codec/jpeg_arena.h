// The memory that libjpeg takes for an image, kept for the next one: decoding then allocates
// nothing.
#ifndef DATA_CODEC_JPEG_ARENA_H_
#define DATA_CODEC_JPEG_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/codec/libjpeg.h"

namespace data {

// Must outlive the decompressor it serves.
class JpegArena {
 public:
  // Takes over the memory of a decompressor that has read nothing yet, and its client_data.
  void Install(jpeg_decompress_struct& jpeg);

  // Ends an image: aborts it and forgets all that it brought, its tables too. libjpeg itself would
  // lend them to a next image that lacks its own, and decode it to nonsense without a warning.
  void Recycle(jpeg_decompress_struct& jpeg);

 private:
  static void* Allocate(j_common_ptr object, int pool, size_t size);
  static JSAMPARRAY AllocateSamples(j_common_ptr object, int pool, JDIMENSION width,
                                    JDIMENSION height);
  static JBLOCKARRAY AllocateBlocks(j_common_ptr object, int pool, JDIMENSION width,
                                    JDIMENSION height);

  struct Block {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size;
  };

  void* Take(size_t size);
  void Reset();

  std::vector<Block> blocks_;
  size_t used_ = 0;  // of the last block
};

}  // namespace data

#endif  // DATA_CODEC_JPEG_ARENA_H_
