#include "tools/flags/flag_registry.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "data/io/printable_name.h"
#include "tools/flags/flag_values.h"

namespace tools {
namespace {

std::set<std::string>& FlagsOnCommandLine() {
  static auto* flags = new std::set<std::string>;
  return *flags;
}

}  // namespace

std::vector<gflags::CommandLineFlagInfo> OurFlags() {
  std::vector<gflags::CommandLineFlagInfo> flags;
  gflags::GetAllFlags(&flags);
  const auto foreign = [](const gflags::CommandLineFlagInfo& flag) {
    return !absl::StartsWith(flag.filename, "tools/") && !absl::StartsWith(flag.filename, "tests/");
  };
  flags.erase(std::remove_if(flags.begin(), flags.end(), foreign), flags.end());
  return flags;
}

bool GivenByUser(const std::string& flag) { return FlagsOnCommandLine().count(flag) > 0; }

void NoteGivenByUser(const std::string& flag) { FlagsOnCommandLine().insert(flag); }

std::map<std::string, std::string> EffectiveFlags() {
  std::map<std::string, std::string> flags;
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    flags[flag.name] = data::PrintableName(ShownValue(flag.type, flag.current_value));
  }
  return flags;
}

}  // namespace tools
