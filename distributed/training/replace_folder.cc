#include "distributed/training/replace_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/status_macros.h"

namespace distributed {

absl::Status RenameFolder(const std::string& from, const std::string& to) {
  return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                               : base::ErrnoError("rename to", to);
}

absl::Status ReplaceFolder(const std::string& from, const std::string& to,
                           const std::string& replaced, bool can_exchange) {
  if (access(to.c_str(), F_OK) != 0) return RenameFolder(from, to);
  if (can_exchange) {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) {
      return RenameFolder(from, replaced);
    }
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
      return base::ErrnoError("exchange", to);
    }
  }
  RETURN_IF_ERROR(RenameFolder(to, replaced));
  absl::Status renamed = RenameFolder(from, to);
  if (!renamed.ok()) RenameFolder(replaced, to).IgnoreError();
  return renamed;
}

}  // namespace distributed
