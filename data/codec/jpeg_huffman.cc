#include "data/codec/jpeg_huffman.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "data/codec/jpeg_entropy.h"
#include "data/codec/jpeg_error.h"
#include "data/codec/libjpeg.h"
// Behind it: jpegint.h, where libjpeg's parts meet.
#include <jpegint.h>

namespace data {
namespace {

constexpr int kLookBits = 10;
constexpr int kMaxCodeBits = 16;
constexpr int kBlock = 64;
// Steps to the next coefficient at an end of block: they lead out of it from anywhere.
constexpr int kEndOfBlock = 64;

// Places of coefficients in a block, by zigzag. A run of zeros may lead out of it, where libjpeg
// puts a coefficient into the last place; an end of block puts a 0 there, which is free.
constexpr std::array<uint8_t, 2 * kBlock> kOrder = [] {
  std::array<uint8_t, 2 * kBlock> order{};
  int row = 0, column = 0;
  for (int i = 0; i < kBlock; ++i) {
    order[i] = 8 * row + column;
    const bool up = (row + column) % 2 == 0;
    int& along = up ? column : row;
    int& against = up ? row : column;
    if (along == 7) {
      ++against;
    } else {
      ++along;
      if (against > 0) --against;
    }
  }
  for (int i = kBlock; i < 2 * kBlock; ++i) order[i] = kBlock - 1;
  return order;
}();

struct HuffmanTable {
  // One coefficient or two: `step` leads to each from the one before. If `bits` is 0, only a code,
  // values[0], which takes `all_bits`; if these are 0, too, not even that.
  struct Entry {
    int16_t values[2];
    uint8_t steps[2];  // the second is 0 if there is but one
    uint8_t bits;      // of code and value of the first
    uint8_t all_bits;
  };

  // `table` has passed libjpeg's checks.
  void Build(const JHUFF_TBL& table, bool is_dc);
  void Add(int symbol, int code, int length, int size);
  void AddSeconds();

  std::array<Entry, 1 << kLookBits> entries;  // by the next kLookBits bits
  // By length: the least 16 bits that begin with no code of that length or less, and what leads
  // from a code to its value.
  std::array<uint32_t, kMaxCodeBits + 1> ends;
  std::array<int, kMaxCodeBits + 1> offsets;
  const uint8_t* values;
};

// Of an AC code.
int StepOf(int symbol) {
  const int zeros = symbol >> 4;
  return (symbol & 15) == 0 && zeros < 15 ? kEndOfBlock : zeros + 1;
}

void HuffmanTable::Build(const JHUFF_TBL& table, bool is_dc) {
  values = table.huffval;
  uint32_t code = 0;
  int index = 0;
  for (int length = 1; length <= kMaxCodeBits; ++length) {
    offsets[length] = index - static_cast<int>(code);
    for (int i = 0; i < table.bits[length]; ++i, ++code, ++index) {
      const int symbol = values[index];
      if (length <= kLookBits) Add(symbol, code, length, is_dc ? symbol : symbol & 15);
    }
    ends[length] = code << (kMaxCodeBits - length);
    if (length == kLookBits) std::fill(entries.begin() + code, entries.end(), Entry{});
    code <<= 1;
  }
  if (!is_dc) AddSeconds();
}

// All that begins with a code, behind which stand `size` bits of a value.
void HuffmanTable::Add(int symbol, int code, int length, int size) {
  const int rest = kLookBits - length;  // bits behind the code
  Entry* to = &entries[code << rest];
  if (size > rest) {
    const Entry entry = {
        {static_cast<int16_t>(symbol), 0}, {0, 0}, 0, static_cast<uint8_t>(length)};
    std::fill(to, to + (1 << rest), entry);
    return;
  }
  const auto all = static_cast<uint8_t>(length + size);
  const auto step = static_cast<uint8_t>(StepOf(symbol));
  for (int bits = 0; bits < 1 << size; ++bits) {
    const auto value = static_cast<int16_t>(CoefficientOf(bits, size));
    to = std::fill_n(to, 1 << (rest - size), Entry{{value, value}, {step, 0}, all, all});
  }
}

// Codes that are whole in what the first one leaves.
void HuffmanTable::AddSeconds() {
  constexpr int kMask = (1 << kLookBits) - 1;
  for (int look = 0; look <= kMask; ++look) {
    Entry& entry = entries[look];
    if (entry.bits == 0 || entry.steps[0] == kEndOfBlock) continue;
    const Entry& next = entries[look << entry.bits & kMask];
    if (next.bits == 0 || entry.bits + next.bits > kLookBits) continue;
    entry.values[1] = next.values[0];
    entry.steps[1] = next.steps[0];
    entry.all_bits = entry.bits + next.bits;
  }
}

// The next bits of a scan, from the left; behind its end zeros.
struct BitBuffer {
  const uint8_t* at;
  const uint8_t* end;
  uint64_t bits = 0;
  int left = 0;     // of `bits`
  int missing = 0;  // of them zeros that no byte stands for

  int Peek(int count) const { return bits >> (64 - count); }
  void Drop(int count) {
    bits <<= count;
    left -= count;
  }

  // For a code and its value.
  void Refill() {
    if (left < 32) FillUp();
  }

  void FillUp() {
    if (end - at >= 8) {
      uint64_t next;
      std::memcpy(&next, at, sizeof(next));
      constexpr uint64_t kOnes = 0x0101010101010101;
      const bool has_ff = ((~next - kOnes) & next & (kOnes << 7)) != 0;
      if (!has_ff) {
        bits |= __builtin_bswap64(next) >> left;
        const int bytes = (64 - left) >> 3;
        at += bytes;
        left += 8 * bytes;
        return;
      }
    }
    while (left <= 56) Append();
  }

  // FF is a byte if a 0 follows, else a marker begins; more FFs may stand between.
  void Append() {
    const uint8_t* next = at;
    uint64_t byte = 0;
    bool found = next < end;
    if (found) {
      byte = *next++;
      if (byte == 0xff) {
        while (next < end && *next == 0xff) ++next;
        found = next < end && *next++ == 0;
      }
    }
    if (found) {
      at = next;
      bits |= byte << (56 - left);
    } else {
      missing += 8;
    }
    left += 8;
  }
};

}  // namespace

// Stands in libjpeg's struct where its own decoder stood.
struct JpegHuffman::Decoder : jpeg_entropy_decoder {
  struct BlockPlan {
    const HuffmanTable* dc;
    const HuffmanTable* ac;
    int component;
  };

  static boolean DecodeMcu(j_decompress_ptr jpeg, JBLOCKROW* blocks);
  void Restart(j_decompress_ptr jpeg);

  std::array<HuffmanTable, NUM_HUFF_TBLS> dc_tables, ac_tables;
  std::array<BlockPlan, D_MAX_BLOCKS_IN_MCU> plan;
  std::array<int, MAX_COMPS_IN_SCAN> last_dc;
  BitBuffer buffer;
  unsigned until_restart;
  int next_restart;
};

JpegHuffman::JpegHuffman() : decoder_(std::make_unique<Decoder>()) {}
JpegHuffman::~JpegHuffman() = default;

void JpegHuffman::TakeOver(jpeg_decompress_struct& jpeg) {
  if (jpeg.progressive_mode || jpeg.arith_code || jpeg_has_multiple_scans(&jpeg)) return;
  Decoder& decoder = *decoder_;
  std::array<bool, NUM_HUFF_TBLS> has_dc{}, has_ac{};
  for (int block = 0; block < jpeg.blocks_in_MCU; ++block) {
    const int component = jpeg.MCU_membership[block];
    const int dc = jpeg.cur_comp_info[component]->dc_tbl_no;
    const int ac = jpeg.cur_comp_info[component]->ac_tbl_no;
    if (!std::exchange(has_dc[dc], true)) {
      decoder.dc_tables[dc].Build(*jpeg.dc_huff_tbl_ptrs[dc], /*is_dc=*/true);
    }
    if (!std::exchange(has_ac[ac], true)) {
      decoder.ac_tables[ac].Build(*jpeg.ac_huff_tbl_ptrs[ac], /*is_dc=*/false);
    }
    decoder.plan[block] = {&decoder.dc_tables[dc], &decoder.ac_tables[ac], component};
  }
  decoder.last_dc.fill(0);
  decoder.until_restart = jpeg.restart_interval;
  decoder.next_restart = 0;
  decoder.buffer = {jpeg.src->next_input_byte,
                    jpeg.src->next_input_byte + jpeg.src->bytes_in_buffer};
  decoder.start_pass = nullptr;
  decoder.decode_mcu = &Decoder::DecodeMcu;
  decoder.insufficient_data = FALSE;
  jpeg.entropy = &decoder;
}

// Bytes that are left before the marker are no matter here: libjpeg says nothing of a few.
void JpegHuffman::Decoder::Restart(j_decompress_ptr jpeg) {
  const uint8_t* at = buffer.at;
  while (buffer.end - at >= 2 && (at[0] != 0xff || at[1] == 0 || at[1] == 0xff)) ++at;
  if (buffer.end - at < 2 || at[1] != JPEG_RST0 + next_restart) {
    JpegErrorHandler::Fail(reinterpret_cast<j_common_ptr>(jpeg),
                           "Corrupt JPEG data: no restart marker where one should be");
  }
  buffer = {at + 2, buffer.end};
  last_dc.fill(0);
  next_restart = (next_restart + 1) & 7;
  until_restart = jpeg->restart_interval;
}

// `blocks` are zero, or null if nobody wants them.
boolean JpegHuffman::Decoder::DecodeMcu(j_decompress_ptr jpeg, JBLOCKROW* blocks) {
  Decoder& decoder = *static_cast<Decoder*>(jpeg->entropy);
  if (jpeg->restart_interval > 0) {
    if (decoder.until_restart == 0) decoder.Restart(jpeg);
    --decoder.until_restart;
  }
  const auto fail = [jpeg](const char* what) {
    JpegErrorHandler::Fail(reinterpret_cast<j_common_ptr>(jpeg), what);
  };
  BitBuffer buffer = decoder.buffer;
  // Of a code whose value the table does not have.
  const auto symbol_of = [&buffer, fail](const HuffmanTable& table,
                                         const HuffmanTable::Entry& entry) -> int {
    if (entry.all_bits > 0) {
      buffer.Drop(entry.all_bits);
      return entry.values[0];
    }
    const uint32_t next = buffer.Peek(kMaxCodeBits);
    int length = kLookBits + 1;
    while (length <= kMaxCodeBits && next >= table.ends[length]) ++length;
    if (length > kMaxCodeBits) fail("Corrupt JPEG data: bad Huffman code");
    buffer.Drop(length);
    return table.values[static_cast<int>(next >> (kMaxCodeBits - length)) + table.offsets[length]];
  };
  const auto value_of = [&buffer](int size) {
    if (size == 0) return 0;
    const int value = CoefficientOf(buffer.Peek(size), size);
    buffer.Drop(size);
    return value;
  };

  JBLOCK unwanted;
  for (int i = 0; i < jpeg->blocks_in_MCU; ++i) {
    const BlockPlan& plan = decoder.plan[i];
    JCOEF* const block = blocks != nullptr ? *blocks[i] : unwanted;
    buffer.Refill();
    HuffmanTable::Entry entry = plan.dc->entries[buffer.Peek(kLookBits)];
    int difference = entry.values[0];
    if (entry.bits > 0) {
      buffer.Drop(entry.bits);
    } else {
      difference = value_of(symbol_of(*plan.dc, entry));
    }
    int& dc = decoder.last_dc[plan.component];
    dc = static_cast<int>(static_cast<unsigned>(dc) + difference);
    block[0] = static_cast<JCOEF>(dc);
    for (int k = 0; k < kBlock - 1;) {
      buffer.Refill();
      entry = plan.ac->entries[buffer.Peek(kLookBits)];
      if (entry.bits == 0) {
        const int symbol = symbol_of(*plan.ac, entry);
        k += StepOf(symbol);
        block[kOrder[k]] = static_cast<JCOEF>(value_of(symbol & 15));
        continue;
      }
      k += entry.steps[0];
      block[kOrder[k]] = entry.values[0];
      if (k >= kBlock - 1) {  // The second is the next block's.
        buffer.Drop(entry.bits);
        break;
      }
      k += entry.steps[1];
      block[kOrder[k]] = entry.values[1];
      buffer.Drop(entry.all_bits);
    }
  }
  if (buffer.left < buffer.missing) fail("Corrupt JPEG data: premature end of data segment");
  decoder.buffer = buffer;
  return TRUE;
}

}  // namespace data
