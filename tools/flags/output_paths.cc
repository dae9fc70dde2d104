#include "tools/flags/output_paths.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

absl::Status Invalid(const std::string& flag, const std::string& path, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat("--", flag, "=", path, ": ", reason));
}

// `folder` exists; a relative one that is empty is the current one.
absl::Status RequireWritable(const std::string& flag, const std::string& path,
                             const fs::path& folder) {
  const std::string name = folder.empty() ? "." : folder.string();
  std::error_code error;
  if (!fs::is_directory(name, error)) return Invalid(flag, path, name + " is no folder");
  if (access(name.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return Invalid(flag, path, absl::StrCat(name, ": ", std::strerror(errno)));
}

}  // namespace

absl::Status RequireWritableFile(const std::string& flag, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  std::error_code error;
  if (fs::is_directory(path, error)) return Invalid(flag, path, "is a folder");
  return RequireWritable(flag, path, fs::path(path).parent_path());
}

absl::Status RequireWritableFolder(const std::string& flag, const std::string& path) {
  std::error_code error;
  fs::path folder = path;
  while (!folder.empty() && !fs::exists(folder, error)) {
    const fs::path above = folder.parent_path();
    if (above == folder) break;
    folder = above;
  }
  return RequireWritable(flag, path, folder);
}

}  // namespace tools
