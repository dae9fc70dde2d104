#include "data/io/tar_archive.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
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
  std::string target;
  bool has_size = false;
  bool sparse = false;
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
    if (key == "linkpath") next.target = std::string(value);
    next.sparse |= absl::StartsWith(key, "GNU.sparse.");
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

TarMember::Kind KindOf(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':  // "contiguous", which means nothing here
      return TarMember::Kind::kFile;
    case '1':
      return TarMember::Kind::kHardLink;
    case '2':
      return TarMember::Kind::kSymbolicLink;
    case '5':
      return TarMember::Kind::kFolder;
    case 'S':
      return TarMember::Kind::kSparse;
    default:
      return TarMember::Kind::kOther;
  }
}

class TarLister {
 public:
  explicit TarLister(const RandomAccessFile& archive) : archive_(archive) {}

  absl::StatusOr<std::vector<TarMember>> Run() {
    bool more = true;
    while (more) {
      ASSIGN_OR_RETURN(more, Step());
    }
    RETURN_IF_ERROR(CheckRest());
    return std::move(members_);
  }

 private:
  absl::Status Damaged(absl::string_view what) const {
    return absl::DataLossError(absl::StrCat(archive_.path(), ": at byte ", offset_, ": ", what));
  }

  // Reads the header at offset_ and passes over its content. False at the end of the archive.
  absl::StatusOr<bool> Step() {
    if (archive_.size() - offset_ < kBlock) {
      return Damaged("ends without an end-of-archive block");
    }
    char block[kBlock];
    RETURN_IF_ERROR(archive_.Read(offset_, kBlock, block));
    if (std::all_of(block, block + kBlock, [](char c) { return c == '\0'; })) return false;
    if (!ChecksumHolds(block)) return Damaged("not a tar header: its checksum differs");
    uint64_t size;
    if (!ParseNumber(block + 124, 12, size)) return Damaged("a size that is no number");
    const char type = block[156];
    const bool extension = type == 'L' || type == 'K' || type == 'x' || type == 'g';
    if (next_.has_size && !extension) size = next_.size;
    if (type >= '1' && type <= '6')
      size = 0;  // links, devices, folders: no content, whatever they say
    uint64_t content = offset_ + kBlock;
    if (type == 'S') {
      ASSIGN_OR_RETURN(content, SkipSparseMap(block));
    }
    if (size > archive_.size() - content) return Damaged("a member that leaves the file");
    RETURN_IF_ERROR(extension ? AddExtension(type, content, size)
                              : AddMember(block, type, content, size));
    const uint64_t padded = (size + kBlock - 1) / kBlock * kBlock;
    if (padded > archive_.size() - content) return Damaged("a member without its padding");
    offset_ = content + padded;
    return true;
  }

  // GNU's sparse headers may go on in further blocks, before the content.
  absl::StatusOr<uint64_t> SkipSparseMap(const char* block) const {
    constexpr size_t kHeaderGoesOn = 482, kMapGoesOn = 504;
    uint64_t at = offset_ + kBlock;
    char map[kBlock];
    for (bool more = block[kHeaderGoesOn] != 0; more; more = map[kMapGoesOn] != 0, at += kBlock) {
      if (archive_.size() - at < kBlock) return Damaged("a sparse member that leaves the file");
      RETURN_IF_ERROR(archive_.Read(at, kBlock, map));
    }
    return at;
  }

  absl::Status AddExtension(char type, uint64_t content, uint64_t size) {
    if (size > kMaxExtension) return Damaged("an oversize extension header");
    std::string text(size, '\0');
    RETURN_IF_ERROR(archive_.Read(content, size, text.data()));
    if (type == 'L') {
      next_.name = std::string(TextField(text.data(), text.size()));
    } else if (type == 'K') {
      next_.target = std::string(TextField(text.data(), text.size()));
    } else {
      // A global header ('g') names no member; git's has a comment.
      Override global;
      if (!ParsePax(text, type == 'x' ? next_ : global)) return Damaged("a malformed pax header");
      if (!global.name.empty() || global.has_size) {
        return Damaged("a global header that names or sizes all members");
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddMember(const char* block, char type, uint64_t content, uint64_t size) {
    if (type == 'M') return Damaged("goes on from another volume, which is not read");
    TarMember member;
    member.name = next_.name.empty() ? MemberName(block) : next_.name;
    member.kind = next_.sparse ? TarMember::Kind::kSparse : KindOf(type);
    member.target = next_.target.empty() ? std::string(TextField(block + 157, 100)) : next_.target;
    member.header = offset_;
    member.offset = content;
    member.size = size;
    members_.push_back(std::move(member));
    next_ = Override();
    return absl::OkStatus();
  }

  absl::Status CheckRest() {
    std::string bytes(64 << 10, '\0');
    while (offset_ < archive_.size()) {
      const size_t count = std::min<uint64_t>(bytes.size(), archive_.size() - offset_);
      RETURN_IF_ERROR(archive_.Read(offset_, count, bytes.data()));
      const size_t other = absl::string_view(bytes).substr(0, count).find_first_not_of('\0');
      offset_ += std::min(other, count);
      if (other < count) return Damaged("something follows the end of the archive");
    }
    return absl::OkStatus();
  }

  const RandomAccessFile& archive_;
  std::vector<TarMember> members_;
  Override next_;
  uint64_t offset_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<TarMember>> ListTar(const RandomAccessFile& archive) {
  return TarLister(archive).Run();
}

}  // namespace data
