#include "data/codec/jpeg_arena.h"

#include <algorithm>
#include <iterator>

namespace data {
namespace {

// What libjpeg's vector code relies on: rows start at multiples of 32 and may be read and written
// to a multiple of 64.
constexpr size_t kAlignment = 32;
constexpr size_t kRowMultiple = 64;
constexpr size_t kMinBlock = 1 << 16;

constexpr size_t RoundUp(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// A table of pointers to rows that lie one behind the other.
template <typename Row>
Row* PointToRows(j_common_ptr object, int pool, size_t row_bytes, size_t height) {
  jpeg_memory_mgr& memory = *object->mem;
  auto* rows = static_cast<Row*>(memory.alloc_small(object, pool, height * sizeof(Row)));
  auto* bytes = static_cast<uint8_t*>(memory.alloc_large(object, pool, height * row_bytes));
  for (size_t y = 0; y < height; ++y) rows[y] = reinterpret_cast<Row>(bytes + y * row_bytes);
  return rows;
}

}  // namespace

void JpegArena::Install(jpeg_decompress_struct& jpeg) {
  jpeg.client_data = this;
  jpeg.mem->alloc_small = &Allocate;
  jpeg.mem->alloc_large = &Allocate;
  jpeg.mem->alloc_sarray = &AllocateSamples;
  jpeg.mem->alloc_barray = &AllocateBlocks;
}

void JpegArena::Recycle(jpeg_decompress_struct& jpeg) {
  jpeg_abort_decompress(&jpeg);
  std::fill(std::begin(jpeg.quant_tbl_ptrs), std::end(jpeg.quant_tbl_ptrs), nullptr);
  std::fill(std::begin(jpeg.dc_huff_tbl_ptrs), std::end(jpeg.dc_huff_tbl_ptrs), nullptr);
  std::fill(std::begin(jpeg.ac_huff_tbl_ptrs), std::end(jpeg.ac_huff_tbl_ptrs), nullptr);
  jpeg.src = nullptr;
  Reset();
}

void* JpegArena::Allocate(j_common_ptr object, int pool, size_t size) {
  return static_cast<JpegArena*>(object->client_data)->Take(size);
}

JSAMPARRAY JpegArena::AllocateSamples(j_common_ptr object, int pool, JDIMENSION width,
                                      JDIMENSION height) {
  return PointToRows<JSAMPROW>(object, pool, RoundUp(width, kRowMultiple), height);
}

JBLOCKARRAY JpegArena::AllocateBlocks(j_common_ptr object, int pool, JDIMENSION width,
                                      JDIMENSION height) {
  return PointToRows<JBLOCKROW>(object, pool, width * sizeof(JBLOCK), height);
}

void* JpegArena::Take(size_t size) {
  if (blocks_.empty() || size + kAlignment > blocks_.back().size - used_) {
    const size_t last = blocks_.empty() ? 0 : blocks_.back().size;
    const size_t block = std::max({kMinBlock, 2 * last, size + kAlignment});
    blocks_.push_back({std::make_unique_for_overwrite<uint8_t[]>(block), block});
    used_ = 0;
  }
  uint8_t* const start = blocks_.back().bytes.get();
  const size_t aligned = RoundUp(reinterpret_cast<uintptr_t>(start) + used_, kAlignment) -
                         reinterpret_cast<uintptr_t>(start);
  used_ = aligned + size;
  return start + aligned;
}

// The last block is the largest, at least as large as all others: soon it is the only one.
void JpegArena::Reset() {
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  used_ = 0;
}

}  // namespace data
