// Whole-file reads and atomic writes, with errors that name the path.
#ifndef BASE_FILE_H_
#define BASE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

// The bytes of `path`. NotFound, PermissionDenied or the like, naming the path.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Replaces `path` by `bytes` so that a reader, or a crash at any moment, sees the old content or
// the new one and never a part: temporary name, fsync, rename, fsync of the folder.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view bytes);

// Creates `path` and its missing parents, as mkdir -p.
absl::Status MakeFolder(const std::string& path);

// Flushes a folder's entries (a rename inside it) to the disk.
absl::Status SyncFolder(const std::string& path);

// An error for the failed system call `what` on `path`, from errno as it is now.
absl::Status ErrnoError(absl::string_view what, absl::string_view path);

}  // namespace base

#endif  // BASE_FILE_H_
