#include "tools/flags/command_line.h"

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/renamed_flags.h"

namespace tools {
namespace {

using FlagInfo = gflags::CommandLineFlagInfo;

// Ours and glog's. Those of gflags itself read flags from elsewhere, and pass over errors there.
std::optional<FlagInfo> FindFlag(absl::string_view name) {
  FlagInfo info;
  if (!gflags::GetCommandLineFlagInfo(std::string(name).c_str(), &info)) return std::nullopt;
  if (absl::StrContains(info.filename, "gflags")) return std::nullopt;
  return info;
}

absl::Status UnknownFlag(absl::string_view name) {
  if (const absl::string_view now = NewNameOf(name); !now.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--", name, ": is --", now, " now"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", data::PrintableName(name), ": there is no such flag; --help lists them"));
}

absl::Status SetFlag(const FlagInfo& flag, const std::string& value) {
  if (gflags::SetCommandLineOption(flag.name.c_str(), value.c_str()).empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag.name, "=", data::PrintableName(value),
                                                   ": must be ", DescribeValues(flag)));
  }
  NoteGivenByUser(flag.name);
  return absl::OkStatus();
}

// The flag at argv[i], and the value behind it where it has no '='; i is then that value's place.
absl::Status ParseFlag(const std::vector<std::string>& argv, size_t& i) {
  absl::string_view text = argv[i];
  if (!absl::ConsumePrefix(&text, "--")) absl::ConsumePrefix(&text, "-");
  const size_t equals = text.find('=');
  const absl::string_view name = text.substr(0, equals);
  std::optional<FlagInfo> flag = FindFlag(name);
  if (equals != absl::string_view::npos) {
    if (!flag) return UnknownFlag(name);
    return SetFlag(*flag, std::string(text.substr(equals + 1)));
  }
  if (flag && flag->type == "bool") return SetFlag(*flag, "true");
  if (flag) {
    if (++i < argv.size()) return SetFlag(*flag, argv[i]);
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, ": has no value; it must be ", DescribeValues(*flag)));
  }
  if (absl::StartsWith(name, "no")) {
    flag = FindFlag(name.substr(2));
    if (flag && flag->type == "bool") return SetFlag(*flag, "false");
  }
  return UnknownFlag(name);
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& argv) {
  CommandLine result;
  for (const std::string& text : argv) {
    if (text == "--") break;
    if (text == "--help" || text == "-help" || text == "-h") result.help = true;
  }
  if (result.help) return result;
  for (size_t i = 0; i < argv.size(); ++i) {
    if (argv[i] == "--") {
      result.arguments.insert(result.arguments.end(), argv.begin() + i + 1, argv.end());
      break;
    }
    if (argv[i].size() < 2 || argv[i][0] != '-') {
      result.arguments.push_back(argv[i]);
      continue;
    }
    RETURN_IF_ERROR(ParseFlag(argv, i));
  }
  return result;
}

std::string HelpText(const std::string& usage, const Presets& presets) {
  std::string text = absl::StrCat(usage, "\n\n");
  for (const FlagInfo& flag : OurFlags()) {
    absl::StrAppend(&text, "--", flag.name, "=", ShownValue(flag.type, flag.default_value), "  (",
                    DescribeValues(flag), ")\n    ", flag.description, "\n");
  }
  for (const auto& [name, preset] : presets) {
    absl::StrAppend(&text, "\n--preset=", name, " stands for\n   ");
    for (const auto& [flag, value] : preset) absl::StrAppend(&text, " --", flag, "=", value);
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace tools
