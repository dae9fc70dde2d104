// Folders that take each other's place.
#ifndef DISTRIBUTED_TRAINING_REPLACE_FOLDER_H_
#define DISTRIBUTED_TRAINING_REPLACE_FOLDER_H_

#include <string>

#include "absl/status/status.h"

namespace distributed {

absl::Status RenameFolder(const std::string& from, const std::string& to);

// Puts folder `from` where `to` is, or is not yet; what was there is `replaced` afterwards. On a
// local filesystem it is one exchange: at any moment `to` is the old folder or the new one. Where
// the filesystem cannot exchange (NFS), or if `can_exchange` is false, `to` is away between two
// renames, and is `replaced` then.
absl::Status ReplaceFolder(const std::string& from, const std::string& to,
                           const std::string& replaced, bool can_exchange = true);

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_REPLACE_FOLDER_H_
