#include "tools/flags/home_folder.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_registry.h"

namespace tools {

absl::StatusOr<std::string> ExpandHome(const std::string& path) {
  if (path.empty() || path[0] != '~') return path;
  if (path.size() > 1 && path[1] != '/') {
    return absl::InvalidArgumentError(
        "~ stands for the own home folder only; ./~ begins the name of a file");
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    return absl::InvalidArgumentError("~ stands for $HOME, which is not set");
  }
  return absl::StrCat(home, path.substr(1));
}

absl::Status ExpandHomeInFlags() {
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    if (flag.type != "string") continue;
    const absl::StatusOr<std::string> path = ExpandHome(flag.current_value);
    if (!path.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag.name, "=", flag.current_value, ": ", path.status().message()));
    }
    if (*path != flag.current_value) {
      gflags::SetCommandLineOption(flag.name.c_str(), path->c_str());
    }
  }
  return absl::OkStatus();
}

}  // namespace tools
