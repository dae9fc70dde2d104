#include "data/remote/node_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "base/write_all.h"
#include "data/io/byte_range.h"
#include "data/io/little_endian.h"
#include "data/remote/cache_lock.h"
#include "xxhash.h"

namespace data {
namespace {

namespace fs = std::filesystem;

constexpr char kVersion[] = "nqdarts cache 1\n";
constexpr char kTemporary[] = ".part";
constexpr uint32_t kMagic = 0x4351514E;  // "NQQC"
// Magic number, a zero, the size of the content, its checksum.
constexpr size_t kHeader = 24;
constexpr int kFolders = 256;
// Locked while room is made, beyond all places of blocks.
constexpr uint64_t kRoomPlace = uint64_t{1} << 62;
// A block that is half written for so long is nobody's.
constexpr time_t kLeftSeconds = 3600;
// What was used is marked so, but not oftener.
constexpr time_t kMarkSeconds = 10;

uint64_t PlaceOf(const std::string& key) {
  return 8 + XXH3_64bits(key.data(), key.size()) % (kRoomPlace - 8);
}

std::string Header(absl::string_view content) {
  std::string header;
  AppendLittle(header, kMagic);
  AppendLittle(header, uint32_t{0});
  AppendLittle(header, uint64_t{content.size()});
  AppendLittle(header, uint64_t{XXH3_64bits(content.data(), content.size())});
  return header;
}

struct StoredFile {
  std::string path;
  uint64_t bytes = 0;
  timespec used = {};
};

// The blocks in blocks/; what goes meanwhile is left out, and removed what a killed process left.
std::vector<StoredFile> ListBlocks(const std::string& folder) {
  const time_t now = time(nullptr);
  std::vector<StoredFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder + "/blocks", error), end; !error && it != end;
       it.increment(error)) {
    struct stat status;
    if (stat(it->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (it->path().extension() == kTemporary) {
      if (now - status.st_mtime > kLeftSeconds) unlink(it->path().c_str());
      continue;
    }
    files.push_back({it->path(), static_cast<uint64_t>(status.st_size), status.st_mtim});
  }
  return files;
}

bool UsedBefore(const StoredFile& a, const StoredFile& b) {
  return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
}

std::string Megabytes(uint64_t bytes) { return absl::StrFormat("%.1f MB", bytes / 1e6); }

}  // namespace

absl::StatusOr<std::unique_ptr<NodeCache>> NodeCache::Open(const std::string& folder,
                                                           uint64_t max_bytes) {
  RETURN_IF_ERROR(base::MakeFolder(folder));
  std::unique_ptr<NodeCache> cache(new NodeCache(folder, max_bytes));
  RETURN_IF_ERROR(cache->SetUp());
  RETURN_IF_ERROR(cache->CheckRoom());
  return cache;
}

absl::Status NodeCache::SetUp() const {
  const std::string version_path = absl::StrCat(folder_, "/version");
  std::error_code error;
  // The lock comes first: who finds it alone finds a cache that is being made.
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (name == "lost+found" || name == "lock" || name == "blocks" ||
        absl::StartsWith(name, "version")) {
      continue;
    }
    return absl::FailedPreconditionError(
        absl::StrCat(folder_, ": is no cache: holds ", name, "; a new folder may become one"));
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder_));
  ASSIGN_OR_RETURN(const CacheLock lock,
                   CacheLock::Acquire(absl::StrCat(folder_, "/lock"), kRoomPlace));
  const absl::StatusOr<std::string> version = base::ReadFile(version_path);
  if (version.ok() && *version == kVersion) return absl::OkStatus();
  if (version.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        folder_, ": is a cache of another version (",
        absl::StripAsciiWhitespace(version->substr(0, 40)), "); this program keeps version 1"));
  }
  if (!absl::IsNotFound(version.status())) return version.status();
  for (int i = 0; i < kFolders; ++i) {
    RETURN_IF_ERROR(
        base::MakeFolder(absl::StrCat(folder_, "/blocks/", absl::Hex(i, absl::kZeroPad2))));
  }
  return base::WriteFileAtomically(version_path, kVersion);
}

// So that a disk that is too small is known before hours have gone by.
absl::Status NodeCache::CheckRoom() const {
  struct statvfs disk;
  if (statvfs(folder_.c_str(), &disk) != 0) return base::ErrnoError("look at", folder_);
  uint64_t used = 0;
  {
    ASSIGN_OR_RETURN(const CacheLock lock,
                     CacheLock::Acquire(absl::StrCat(folder_, "/lock"), kRoomPlace));
    // Not there yet: 0.
    (void)ReadAt(lock.file(), folder_, 0, sizeof(used), &used);
  }
  const uint64_t room = uint64_t{disk.f_bavail} * disk.f_frsize + used;
  if (room >= max_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(folder_, ": its disk has room for ",
                                                   Megabytes(room), " of a cache of ",
                                                   Megabytes(max_bytes_)));
}

std::string NodeCache::PathOf(const std::string& key) const {
  const uint64_t hash = XXH3_64bits(key.data(), key.size());
  return absl::StrCat(folder_, "/blocks/", absl::Hex(hash % kFolders, absl::kZeroPad2), "/", key);
}

bool NodeCache::Has(const std::string& key) const { return access(PathOf(key).c_str(), F_OK) == 0; }

void NodeCache::Drop(const std::string& key) {
  unlink(PathOf(key).c_str());
  const std::lock_guard lock(mutex_);
  checked_.erase(key);
}

std::optional<NodeCache::Block> NodeCache::Find(const std::string& key) {
  const std::string path = PathOf(key);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  Block block;
  block.file = std::make_shared<const base::FileDescriptor>(fd);
  struct stat status;
  if (fstat(fd, &status) != 0 || status.st_size < static_cast<off_t>(kHeader)) return std::nullopt;
  block.size = status.st_size - kHeader;
  if (time(nullptr) - status.st_mtime > kMarkSeconds) futimens(fd, nullptr);
  {
    const std::lock_guard lock(mutex_);
    if (checked_.contains(key)) return block;
  }
  std::string bytes(status.st_size, '\0');
  if (!ReadAt(fd, path, 0, bytes.size(), bytes.data()).ok()) return std::nullopt;
  block.bytes = bytes.substr(kHeader);
  if (absl::string_view(bytes).substr(0, kHeader) != Header(block.bytes)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  checked_.insert(key);
  return block;
}

absl::StatusOr<NodeCache::Block> NodeCache::FindOrFetch(const std::string& key,
                                                        const Fetch& fetch) {
  if (auto block = Find(key)) return *std::move(block);
  ASSIGN_OR_RETURN(const CacheLock lock,
                   CacheLock::Acquire(absl::StrCat(folder_, "/lock"), PlaceOf(key)));
  if (auto block = Find(key)) return *std::move(block);  // another's work, meanwhile
  Block block;
  ASSIGN_OR_RETURN(block.bytes, fetch());
  block.size = block.bytes.size();
  RETURN_IF_ERROR(Add(key, block.bytes));
  return block;
}

absl::Status NodeCache::Add(const std::string& key, absl::string_view bytes) {
  const std::string path = PathOf(key), part = path + kTemporary;
  const uint64_t size = kHeader + bytes.size();
  const auto write = [&] {
    const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    const absl::Cleanup close_fd = [fd] { close(fd); };
    return base::WriteAll(fd, Header(bytes)) && base::WriteAll(fd, bytes);
  };
  bool written = write();
  if (!written && (errno == ENOSPC || errno == EDQUOT)) {
    // Another's files take the room that this cache may have: it makes do with less.
    unlink(part.c_str());
    RETURN_IF_ERROR(MakeRoom(size, /*disk_is_full=*/true, [] { return absl::OkStatus(); }));
    written = write();
  }
  if (!written) {
    const int error = errno;
    unlink(part.c_str());
    return absl::ErrnoToStatus(error, absl::StrCat("cannot write to the cache ", folder_));
  }
  RETURN_IF_ERROR(MakeRoom(size, /*disk_is_full=*/false, [&]() -> absl::Status {
    if (rename(part.c_str(), path.c_str()) == 0) return absl::OkStatus();
    return base::ErrnoError("rename to", path);
  }));
  const std::lock_guard lock(mutex_);
  checked_.insert(key);
  return absl::OkStatus();
}

// Removes what was not used for longest if `bytes` more are too many, or if the disk is full; then
// counts them and calls `add`, all under the lock. A process killed before `add` is done leaves a
// count that is too high, which the next look at all blocks corrects.
absl::Status NodeCache::MakeRoom(uint64_t bytes, bool disk_is_full,
                                 const std::function<absl::Status()>& add) const {
  const std::string lock_path = absl::StrCat(folder_, "/lock");
  ASSIGN_OR_RETURN(const CacheLock lock, CacheLock::Acquire(lock_path, kRoomPlace));
  uint64_t used = 0;
  (void)ReadAt(lock.file(), lock_path, 0, sizeof(used), &used);
  if (disk_is_full || used + bytes > max_bytes_) {
    std::vector<StoredFile> files = ListBlocks(folder_);
    std::sort(files.begin(), files.end(), UsedBefore);
    used = 0;
    for (const StoredFile& file : files) used += file.bytes;
    // Some more than needed, not to look at all blocks for each new one.
    const uint64_t full = disk_is_full ? used : max_bytes_;
    const uint64_t aim = full - std::min(full, std::max(bytes, full / 20));
    for (size_t i = 0; i < files.size() && used > aim; ++i) {
      if (unlink(files[i].path.c_str()) == 0) used -= files[i].bytes;
    }
  }
  if (!disk_is_full) used += bytes;
  // A count that the disk has no room for is as good as none.
  if (pwrite(lock.file(), &used, sizeof(used), 0) != sizeof(used) && errno != ENOSPC &&
      errno != EDQUOT) {
    return base::ErrnoError("write", lock_path);
  }
  return add();
}

absl::Status NodeCache::Read(const std::string& key, size_t offset, size_t count, void* to,
                             const Fetch& fetch) {
  // What another process removes while it is read is still there for who has it open.
  ASSIGN_OR_RETURN(const Block block, FindOrFetch(key, fetch));
  RETURN_IF_ERROR(CheckRange(PathOf(key), block.size, offset, count));
  if (block.file == nullptr || !block.bytes.empty()) {
    if (count > 0) std::memcpy(to, block.bytes.data() + offset, count);
    return absl::OkStatus();
  }
  return ReadAt(block.file->get(), PathOf(key), kHeader + offset, count, to);
}

absl::StatusOr<std::string> NodeCache::ReadAll(const std::string& key, const Fetch& fetch) {
  ASSIGN_OR_RETURN(Block block, FindOrFetch(key, fetch));
  if (block.file == nullptr || !block.bytes.empty()) return std::move(block.bytes);
  std::string bytes(block.size, '\0');
  RETURN_IF_ERROR(ReadAt(block.file->get(), PathOf(key), kHeader, bytes.size(), bytes.data()));
  return bytes;
}

}  // namespace data
