// Where bytes come from: a file, or an object of a server. One interface for all of them.
//
//   ASSIGN_OR_RETURN(const auto source, store.Open("s3://bucket/train/00000.shard"));
//   RETURN_IF_ERROR(source->Read(0, sizeof(header), &header));
#ifndef DATA_IO_BYTE_SOURCE_H_
#define DATA_IO_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// Bytes that are read by position. All methods may be called from several threads at once.
class ByteSource {
 public:
  using Done = std::function<void(absl::Status)>;

  virtual ~ByteSource() = default;

  // What errors call it: a path or a URL.
  virtual const std::string& name() const = 0;

  // Bytes, as it was when it was opened.
  virtual uint64_t size() const = 0;

  // Copies bytes [offset, offset + count) to `to`, then calls `done` once: before Start returns, or
  // on a thread of the store, which it must not keep. Source and memory live until then. DataLoss
  // if the source ends before; FailedPrecondition if it was replaced meanwhile; any other error is
  // the system's or the server's. As many reads are under way at a time as the store has depth; the
  // others wait.
  virtual void Start(uint64_t offset, size_t count, void* to, Done done) const = 0;

  // The same, waited for.
  virtual absl::Status Read(uint64_t offset, size_t count, void* to) const;

  // Says that these bytes will be read soon. A hint, which costs the caller nothing.
  virtual void WillRead(uint64_t offset, uint64_t count) const {}

  // Takes back what WillRead said.
  virtual void Forget() const {}

  // Says that bytes were read here whose checksum differs. Whether it makes sense to read them once
  // more: they come from a server anew.
  virtual bool Refetch(uint64_t offset, uint64_t count) const { return false; }
};

// Opens sources. Thread-safe; they may outlive it.
class ByteStore {
 public:
  virtual ~ByteStore() = default;

  // `content`, if not empty, tells what is expected at `location` from whatever else might be there
  // under the same name: a cache need not ask then. NotFound, PermissionDenied and the like, naming
  // the location.
  virtual absl::StatusOr<std::shared_ptr<const ByteSource>> Open(
      const std::string& location, absl::string_view content = "") = 0;

  // The same of a source that has `size` bytes, if it can be had without a request or a look at a
  // file; else null.
  virtual absl::StatusOr<std::shared_ptr<const ByteSource>> OpenKnown(const std::string& location,
                                                                      absl::string_view content,
                                                                      uint64_t size) {
    return nullptr;
  }

  // How many reads it has under way at a time.
  virtual int depth() const = 0;
};

// All of a source's bytes.
absl::StatusOr<std::string> ReadAll(const ByteSource& source);

// Whether a location is one of a server, SCHEME://…, and no path.
bool IsRemote(absl::string_view location);

}  // namespace data

#endif  // DATA_IO_BYTE_SOURCE_H_
