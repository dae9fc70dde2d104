#include "data/codec/jpeg_tables.h"

#include <initializer_list>

namespace data {

// libjpeg-turbo takes an empty table, in which no code is valid, for one that the file has.
void ForbidDefaultHuffmanTables(jpeg_decompress_struct& jpeg) {
  for (auto* tables : {&jpeg.dc_huff_tbl_ptrs, &jpeg.ac_huff_tbl_ptrs}) {
    for (JHUFF_TBL*& table : *tables) {
      table = jpeg_alloc_huff_table(reinterpret_cast<j_common_ptr>(&jpeg));
      *table = {};
    }
  }
}

}  // namespace data
