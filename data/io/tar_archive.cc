#include "data/io/tar_archive.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace data {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kMaxExtension = 1 << 20;  // of a pax header or a long name

absl::string_view TextField(const char* from, size_t size) { return {from, strnlen(from, size)}; }

// Octal digits, or GNU's big-endian binary when the first bit is set. False if it is neither.
bool ParseNumber(const char* field, size_t size, uint64_t& value) {
  value = 0;
  if (static_cast<uint8_t>(field[0]) == 0x80) {
    for (size_t i = size - 8; i < size; ++i) value = value << 8 | static_cast<uint8_t>(field[i]);
    return true;
  }
  size_t i = 0;
  while (i < size && field[i] == ' ') ++i;
  for (; i < size && field[i] >= '0' && field[i] <= '7'; ++i) value = value * 8 + (field[i] - '0');
  return i == size || field[i] == ' ' || field[i] == '\0';
}

bool ChecksumHolds(const char* block) {
  constexpr size_t kBegin = 148, kEnd = 156;
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    sum += i >= kBegin && i < kEnd ? ' ' : static_cast<uint8_t>(block[i]);
  }
  uint64_t stored;
  return ParseNumber(block + kBegin, kEnd - kBegin, stored) && stored == sum;
}

// What an extension header says of the next member.
struct Override {
  std::string name;
  bool has_size = false;
  uint64_t size = 0;
};

// Records "LENGTH KEY=VALUE\n". False if they are malformed.
bool ParsePax(absl::string_view text, Override& next) {
  while (!text.empty()) {
    const size_t space = text.find(' ');
    uint64_t length;
    if (space == absl::string_view::npos || !absl::SimpleAtoi(text.substr(0, space), &length) ||
        length <= space + 1 || length > text.size() || text[length - 1] != '\n') {
      return false;
    }
    const absl::string_view record = text.substr(space + 1, length - space - 2);
    const size_t equals = record.find('=');
    if (equals == absl::string_view::npos) return false;
    const absl::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") next.name = std::string(value);
    if (key == "size") {
      if (!absl::SimpleAtoi(value, &next.size)) return false;
      next.has_size = true;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string MemberName(const char* block) {
  const absl::string_view name = TextField(block, 100);
  const bool ustar = std::memcmp(block + 257, "ustar", 6) == 0;  // GNU's "ustar  " has no prefix
  const absl::string_view prefix = ustar ? TextField(block + 345, 155) : "";
  return prefix.empty() ? std::string(name) : absl::StrCat(prefix, "/", name);
}

}  // namespace

absl::StatusOr<std::vector<TarMember>> ListTar(const RandomAccessFile& archive) {
  std::vector<TarMember> members;
  Override next;
  uint64_t offset = 0;
  const auto damaged = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(archive.path(), ": at byte ", offset, ": ", what));
  };
  while (true) {
    if (archive.size() - offset < kBlock) return damaged("ends without an end-of-archive block");
    char block[kBlock];
    RETURN_IF_ERROR(archive.Read(offset, kBlock, block));
    if (std::all_of(block, block + kBlock, [](char c) { return c == '\0'; })) return members;
    if (!ChecksumHolds(block)) return damaged("not a tar header: its checksum differs");
    uint64_t size;
    if (!ParseNumber(block + 124, 12, size)) return damaged("a size that is no number");
    const char type = block[156];
    const bool extension = type == 'L' || type == 'x';
    if (next.has_size && !extension) size = next.size;
    const uint64_t content = offset + kBlock;
    if (size > archive.size() - content) return damaged("a member that leaves the file");

    if (extension) {
      if (size > kMaxExtension) return damaged("an oversize extension header");
      std::string text(size, '\0');
      RETURN_IF_ERROR(archive.Read(content, size, text.data()));
      if (type == 'L') {
        next.name = std::string(TextField(text.data(), text.size()));
      } else if (!ParsePax(text, next)) {
        return damaged("a malformed pax header");
      }
    } else {
      if (type == '0' || type == '\0') {
        members.push_back({next.name.empty() ? MemberName(block) : next.name, content, size});
      }
      next = Override();
    }
    const uint64_t padded = (size + kBlock - 1) / kBlock * kBlock;
    if (padded > archive.size() - content) return damaged("a member without its padding");
    offset = content + padded;
  }
}

}  // namespace data
