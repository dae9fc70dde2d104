// A folder of this node that holds what its processes have downloaded: each block once, whatever
// the number of ranks and jobs. Any of them may be killed at any moment.
//
//   DIR/version        what this is
//   DIR/lock           bytes that are locked while a block is downloaded or room is made; its
//                      first 8 say how many bytes the blocks have
//   DIR/blocks/3f/KEY  a block: its header, with a checksum, and its content
//
// On a disk of the node's own: another node's processes are not heard on every network filesystem.
#ifndef DATA_REMOTE_NODE_CACHE_H_
#define DATA_REMOTE_NODE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/io/file_pool.h"

namespace data {

// Thread-safe.
class NodeCache {
 public:
  using Fetch = std::function<absl::StatusOr<std::string>()>;

  // Makes `folder` if need be. FailedPrecondition, naming it, if it holds anything else or a cache
  // of another version; ResourceExhausted if its disk has no room for so many bytes.
  static absl::StatusOr<std::unique_ptr<NodeCache>> Open(const std::string& folder,
                                                         uint64_t max_bytes);

  // Copies bytes [offset, offset + count) of the block `key` to `to`. Unless it is there, what
  // `fetch` returns becomes the block, and what was not used for longest goes; another process or
  // thread that wants it waits. A block is checked when a process first reads it, and fetched anew
  // if it is damaged. Errors are those of `fetch`, and the disk's, naming the folder.
  absl::Status Read(const std::string& key, size_t offset, size_t count, void* to,
                    const Fetch& fetch);

  // All of a block.
  absl::StatusOr<std::string> ReadAll(const std::string& key, const Fetch& fetch);

  // Whether the block is there, as far as a look at its name tells.
  bool Has(const std::string& key) const;

  void Drop(const std::string& key);

 private:
  // A block in memory, where it was just made or checked; else its file.
  struct Block {
    std::string bytes;
    FilePool::Pointer file;
    uint64_t size = 0;  // of the content
  };

  NodeCache(std::string folder, uint64_t max_bytes)
      : folder_(std::move(folder)), max_bytes_(max_bytes) {}

  absl::Status SetUp() const;
  absl::Status CheckRoom() const;
  std::string PathOf(const std::string& key) const;
  std::optional<Block> Find(const std::string& key);
  absl::StatusOr<Block> FindOrFetch(const std::string& key, const Fetch& fetch);
  absl::Status Add(const std::string& key, absl::string_view bytes);
  absl::Status MakeRoom(uint64_t bytes, bool disk_is_full,
                        const std::function<absl::Status()>& add) const;

  const std::string folder_;
  const uint64_t max_bytes_;
  std::mutex mutex_;
  std::unordered_set<std::string> checked_;  // by this process
};

}  // namespace data

#endif  // DATA_REMOTE_NODE_CACHE_H_
