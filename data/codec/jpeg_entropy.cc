#include "data/codec/jpeg_entropy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "data/codec/jpeg_markers.h"

namespace data {
namespace {

constexpr int kBlock = 64;
// Of a block's mean times 8, which is within 1024 of the middle; encoders may overshoot.
constexpr int kMaxDc = 2048;

int CeilDivide(int a, int b) { return (a + b - 1) / b; }

// Entropy-coded bits, up to the next marker.
class BitReader {
 public:
  explicit BitReader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  // 0 or 1; -1 where there are no more.
  int Bit() {
    if (left_ == 0) {
      if (at_ >= bytes_.size()) return -1;
      const bool stuffed = at_ + 1 < bytes_.size() && bytes_[at_ + 1] == 0;
      if (bytes_[at_] == 0xff && !stuffed) return -1;
      byte_ = bytes_[at_];
      at_ += byte_ == 0xff ? 2 : 1;
      left_ = 8;
    }
    return byte_ >> --left_ & 1;
  }

  // What `count` bits say. False where there are no more.
  bool Coefficient(int count, int& value) {
    int bits = 0;
    for (int i = 0; i < count; ++i) {
      const int bit = Bit();
      if (bit < 0) return false;
      bits = bits << 1 | bit;
    }
    value = CoefficientOf(bits, count);
    return true;
  }

  // Whether the bits left in the last byte are 1. They are taken.
  bool TakePadding() {
    const int mask = (1 << left_) - 1;
    left_ = 0;
    return (byte_ & mask) == mask;
  }

  // Whether nothing is left but that.
  bool AtEnd() const {
    BitReader reader = *this;
    return reader.TakePadding() && reader.Bit() < 0;
  }

  // Bytes taken, the last one whole.
  size_t position() const { return at_; }

  void Restart(absl::Span<const uint8_t> bytes) {
    bytes_ = bytes;
    at_ = 0;
    left_ = 0;
  }

 private:
  absl::Span<const uint8_t> bytes_;
  size_t at_ = 0;
  int byte_ = 0xff;
  int left_ = 0;
};

struct HuffmanTable {
  std::array<int, 17> counts{};  // of codes by length
  std::vector<uint8_t> values;

  // -1 for no code of the table.
  int Decode(BitReader& reader) const {
    int code = 0, first = 0;
    size_t index = 0;
    for (int length = 1; length <= 16; ++length) {
      const int bit = reader.Bit();
      if (bit < 0) return -1;
      code = code << 1 | bit;
      if (code - first < counts[length]) return values[index + code - first];
      index += counts[length];
      first = (first + counts[length]) << 1;
    }
    return -1;
  }
};

struct Component {
  int id = 0;
  int across = 1;
  int down = 1;
  int quantizer = 0;
  const HuffmanTable* dc_table = nullptr;
  const HuffmanTable* ac_table = nullptr;
  int dc = 0;
  bool read = false;
};

class EntropyWalk {
 public:
  explicit EntropyWalk(absl::Span<const uint8_t> jpeg) : jpeg_(jpeg) {}

  bool Run() {
    at_ = 2;  // behind SOI
    while (FindMarker()) {
      const uint8_t marker = jpeg_[at_ + 1];
      if (marker == kEndOfImage) return HasAllComponents();
      if (at_ + 4 > jpeg_.size()) return false;
      const size_t length = jpeg_[at_ + 2] << 8 | jpeg_[at_ + 3];
      if (length < 2 || length > jpeg_.size() - at_ - 2) return false;
      const absl::Span<const uint8_t> segment = jpeg_.subspan(at_ + 4, length - 2);
      at_ += 2 + length;
      if (!ReadSegment(marker, segment)) return false;
    }
    return false;
  }

 private:
  bool HasAllComponents() const {
    return !components_.empty() &&
           std::all_of(components_.begin(), components_.end(),
                       [](const Component& component) { return component.read; });
  }

  // Goes to the next marker that is no restart; what stands before one is the caller's affair.
  bool FindMarker() {
    while (at_ + 1 < jpeg_.size()) {
      const uint8_t next = jpeg_[at_ + 1];
      if (jpeg_[at_] == 0xff && next != 0 && next != 0xff &&
          (next < kRestart0 || next >= kRestart0 + 8)) {
        return true;
      }
      ++at_;
    }
    return false;
  }

  bool ReadSegment(uint8_t marker, absl::Span<const uint8_t> segment) {
    switch (marker) {
      case kBaselineFrame:
      case kExtendedFrame:
        return ReadFrame(segment);
      case kHuffmanTables:
        return ReadTables(segment);
      case kQuantizers:
        return ReadQuantizers(segment);
      case kRestartInterval:
        if (segment.size() != 2) return false;
        restart_interval_ = segment[0] << 8 | segment[1];
        return true;
      case kScan:
        return ReadScan(segment);
      default:  // a frame of another kind, or what says nothing of the blocks
        return marker < kBaselineFrame || marker >= kRestart0;
    }
  }

  bool ReadFrame(absl::Span<const uint8_t> segment) {
    if (segment.size() < 6 || segment[0] != 8) return false;
    height_ = segment[1] << 8 | segment[2];
    width_ = segment[3] << 8 | segment[4];
    if (segment.size() != size_t{6} + 3 * segment[5] || !components_.empty()) return false;
    for (size_t i = 6; i < segment.size(); i += 3) {
      Component component;
      component.id = segment[i];
      component.across = segment[i + 1] >> 4;
      component.down = segment[i + 1] & 15;
      component.quantizer = segment[i + 2];
      if (component.across == 0 || component.down == 0 || component.quantizer > 3) return false;
      across_ = std::max(across_, component.across);
      down_ = std::max(down_, component.down);
      components_.push_back(component);
    }
    return true;
  }

  bool ReadTables(absl::Span<const uint8_t> segment) {
    while (segment.size() >= 17) {
      const int kind = segment[0] >> 4, number = segment[0] & 15;
      if (kind > 1 || number > 3) return false;
      HuffmanTable& table = tables_[kind][number];
      size_t codes = 0;
      for (int i = 1; i <= 16; ++i) codes += table.counts[i] = segment[i];
      if (codes > segment.size() - 17) return false;
      table.values.assign(segment.begin() + 17, segment.begin() + 17 + codes);
      segment.remove_prefix(17 + codes);
    }
    return segment.empty();
  }

  bool ReadQuantizers(absl::Span<const uint8_t> segment) {
    while (!segment.empty()) {
      const int bytes = segment[0] >> 4 ? 2 : 1, number = segment[0] & 15;
      if (number > 3 || segment.size() < size_t{1} + kBlock * bytes) return false;
      dc_steps_[number] = bytes == 1 ? segment[1] : segment[1] << 8 | segment[2];
      segment.remove_prefix(1 + kBlock * bytes);
    }
    return true;
  }

  bool ReadScan(absl::Span<const uint8_t> segment) {
    if (segment.empty() || segment.size() != size_t{4} + 2 * segment[0]) return false;
    std::vector<Component*> scan;
    for (int i = 0; i < segment[0]; ++i) {
      const auto component = std::find_if(
          components_.begin(), components_.end(),
          [&](const Component& component) { return component.id == segment[1 + 2 * i]; });
      const int tables = segment[2 + 2 * i];
      if (component == components_.end() || tables >> 4 > 3 || (tables & 15) > 3) return false;
      component->dc_table = &tables_[0][tables >> 4];
      component->ac_table = &tables_[1][tables & 15];
      component->read = true;
      scan.push_back(&*component);
    }
    return !scan.empty() && ReadBlocks(scan);
  }

  // A component alone has no MCU of several blocks, and none beyond its own edge (T.81, A.2).
  bool ReadBlocks(const std::vector<Component*>& scan) {
    const Component& only = *scan[0];
    const bool alone = scan.size() == 1;
    const int mcu_width = 8 * (alone ? 1 : across_), mcu_height = 8 * (alone ? 1 : down_);
    const int width = alone ? CeilDivide(width_ * only.across, across_) : width_;
    const int height = alone ? CeilDivide(height_ * only.down, down_) : height_;
    const int64_t mcus = int64_t{CeilDivide(width, mcu_width)} * CeilDivide(height, mcu_height);
    BitReader reader(jpeg_.subspan(at_));
    for (int64_t mcu = 0; mcu < mcus; ++mcu) {
      if (mcu == 0 || (restart_interval_ > 0 && mcu % restart_interval_ == 0)) {
        if (mcu > 0 && !TakeRestart(reader)) return false;
        for (Component* component : scan) component->dc = 0;
      }
      for (Component* component : scan) {
        const int blocks = alone ? 1 : component->across * component->down;
        for (int i = 0; i < blocks; ++i) {
          if (!ReadBlock(*component, reader)) return false;
        }
      }
    }
    const BitReader rest = reader;
    if (!reader.TakePadding()) return false;
    at_ += reader.position();
    return IsPadding() || (EndsImage() && !AreBlocks(scan, rest));
  }

  bool EndsImage() const {
    EntropyWalk walk = *this;
    return walk.FindMarker() && jpeg_[walk.at_ + 1] == kEndOfImage;
  }

  // Whether the next marker stands here, or behind bytes that are all the same.
  bool IsPadding() const {
    size_t end = at_;
    while (end < jpeg_.size() && jpeg_[end] == jpeg_[at_] && jpeg_[end] != 0xff) ++end;
    return end + 1 < jpeg_.size() && jpeg_[end] == 0xff && jpeg_[end + 1] != 0;
  }

  // Whether what is left are the scan's last blocks. A damaged code soon makes two blocks one, or
  // one two, and all is read well from there on, but so many blocks too early or late.
  bool AreBlocks(const std::vector<Component*>& scan, const BitReader& rest) const {
    std::vector<const Component*> order;  // of the blocks in an MCU
    for (const Component* component : scan) {
      const int blocks = scan.size() == 1 ? 1 : component->across * component->down;
      order.insert(order.end(), blocks, component);
    }
    for (size_t first = 0; first < order.size(); ++first) {
      BitReader reader = rest;
      for (size_t block = first;; block = (block + 1) % order.size()) {
        Component component = *order[block];
        component.dc = 0;
        if (!ReadBlock(component, reader)) break;
        if (block + 1 == order.size() && reader.AtEnd()) return true;
      }
    }
    return false;
  }

  // The reader goes on behind the restart marker.
  bool TakeRestart(BitReader& reader) {
    if (!reader.TakePadding()) return false;
    at_ += reader.position();
    if (at_ + 1 >= jpeg_.size() || jpeg_[at_] != 0xff || (jpeg_[at_ + 1] & ~7) != kRestart0) {
      return false;
    }
    at_ += 2;
    reader.Restart(jpeg_.subspan(at_));
    return true;
  }

  bool ReadBlock(Component& component, BitReader& reader) const {
    int value;
    const int size = component.dc_table->Decode(reader);
    if (size < 0 || size > 11 || !reader.Coefficient(size, value)) return false;
    component.dc += value;
    const int step = std::max(1, dc_steps_[component.quantizer]);
    if (std::abs(component.dc) * step > kMaxDc) return false;
    for (int at = 1; at < kBlock; ++at) {
      const int code = component.ac_table->Decode(reader);
      if (code < 0) return false;
      if (code == 0) break;  // the end of the block
      at += code >> 4;
      const int bits = code & 15;
      const bool zeros = code == 0xf0;  // sixteen of them, and no coefficient
      if (at >= kBlock || bits > 10 || (bits == 0 && !zeros)) return false;
      if (!reader.Coefficient(bits, value)) return false;
    }
    return true;
  }

  const absl::Span<const uint8_t> jpeg_;
  size_t at_ = 0;
  int width_ = 0;
  int height_ = 0;
  int across_ = 1;
  int down_ = 1;
  int restart_interval_ = 0;
  std::vector<Component> components_;
  std::array<int, 4> dc_steps_{};
  HuffmanTable tables_[2][4];
};

}  // namespace

bool EntropyDataAreWhole(absl::Span<const uint8_t> jpeg) { return EntropyWalk(jpeg).Run(); }

}  // namespace data
