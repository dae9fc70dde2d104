// Keeps libjpeg from guessing what a damaged JPEG has lost.
#ifndef DATA_CODEC_JPEG_TABLES_H_
#define DATA_CODEC_JPEG_TABLES_H_

#include "data/codec/libjpeg.h"

namespace data {

// To be called before jpeg_read_header. libjpeg-turbo puts the Huffman tables of ITU-T T.81, annex
// K in the place of missing ones, as Motion JPEG wants it; a file that lost others is then decoded
// to nonsense. With this, data coded with a missing table is an error.
void ForbidDefaultHuffmanTables(jpeg_decompress_struct& jpeg);

}  // namespace data

#endif  // DATA_CODEC_JPEG_TABLES_H_
