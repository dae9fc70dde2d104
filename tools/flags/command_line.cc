#include "tools/flags/command_line.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/home_folder.h"
#include "tools/flags/nearest_name.h"
#include "tools/flags/renamed_flags.h"

DEFINE_string(settings, "", "File of flags, one a line; those on the command line override them.");

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
  std::vector<std::string> names;
  for (const FlagInfo& flag : OurFlags()) {
    names.push_back(flag.name);
    if (flag.type == "bool") names.push_back("no" + flag.name);
  }
  const std::string nearest = NearestName(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "--", data::PrintableName(name), ": there is no such flag; ",
      nearest.empty() ? "" : absl::StrCat("did you mean --", nearest, "? "), "--help lists them"));
}

absl::Status SetFlag(const FlagInfo& flag, const std::string& value) {
  if (gflags::SetCommandLineOption(flag.name.c_str(), value.c_str()).empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--", flag.name, "=", data::PrintableName(value),
                                                   ": must be ", DescribeValues(flag)));
  }
  NoteGivenByUser(flag.name);
  return absl::OkStatus();
}

// Those that are not ours, less gflags' own.
std::vector<FlagInfo> LoggingFlags() {
  std::set<std::string> ours;
  for (const FlagInfo& flag : OurFlags()) ours.insert(flag.name);
  std::vector<FlagInfo> flags;
  gflags::GetAllFlags(&flags);
  const auto is_other = [&](const FlagInfo& flag) {
    return ours.count(flag.name) > 0 || !FindFlag(flag.name).has_value();
  };
  flags.erase(std::remove_if(flags.begin(), flags.end(), is_other), flags.end());
  return flags;
}

// The subject of a flag, by the file that defines it, behind the subject's place: the program
// itself, what a few programs share, what many share, the frame of all.
std::pair<int, std::string> GroupOf(const FlagInfo& flag) {
  const std::vector<std::string> path = absl::StrSplit(flag.filename, '/');
  absl::string_view file = path.back();
  file = file.substr(0, file.find('.'));
  if (!absl::ConsumeSuffix(&file, "_flags")) absl::ConsumeSuffix(&file, "_flag");
  if (path.size() == 2) return {0, absl::StrCat("Of ", file, " alone")};
  if (file == "tool") return {3, "Of every tool"};
  return {path[1] == "program" ? 1 : 2,
          absl::StrCat("About the ", absl::StrReplaceAll(file, {{"_", " "}}))};
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

// The last --settings of `argv`; "" if there is none.
std::string SettingsFile(const std::vector<std::string>& argv) {
  std::string path;
  for (size_t i = 0; i < argv.size() && argv[i] != "--"; ++i) {
    absl::string_view text = argv[i];
    if (!absl::ConsumePrefix(&text, "--")) absl::ConsumePrefix(&text, "-");
    if (text == argv[i] || !absl::ConsumePrefix(&text, "settings")) continue;
    if (absl::ConsumePrefix(&text, "=")) path = std::string(text);
    if (text.empty() && i + 1 < argv.size()) path = argv[i + 1];
  }
  return path;
}

absl::Status ParseSettings(const std::string& given) {
  ASSIGN_OR_RETURN(const std::string path, ValueOfFlag("settings", ExpandHome(given)));
  ASSIGN_OR_RETURN(const std::string text, ValueOfFlag("settings", base::ReadFile(path)));
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line[0] == '#') continue;
    size_t i = 0;
    const std::vector<std::string> flag = {absl::StrCat(line[0] == '-' ? "" : "--", line)};
    const absl::Status status =
        SettingsFile(flag).empty()
            ? ParseFlag(flag, i)
            : absl::InvalidArgumentError("--settings: stands on a command line only");
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat(path, ":", number, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& argv) {
  CommandLine result;
  for (const std::string& text : argv) {
    if (text == "--") break;
    if (text == "--help" || text == "-help" || text == "-h") result.question = Question::kHelp;
    if (text == "--help=all") result.question = Question::kFullHelp;
    if (text == "--version") result.question = Question::kVersion;
    if (result.question != Question::kNone) return result;
  }
  if (const std::string settings = SettingsFile(argv); !settings.empty()) {
    RETURN_IF_ERROR(ParseSettings(settings));
  }
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

std::string HelpText(const std::string& usage, const Presets& presets, bool all) {
  std::string text = absl::StrCat(usage, "\n");
  std::map<std::pair<int, std::string>, std::vector<FlagInfo>> groups;
  for (const FlagInfo& flag : OurFlags()) groups[GroupOf(flag)].push_back(flag);
  for (const auto& [group, flags] : groups) {
    absl::StrAppend(&text, "\n", group.second, "\n\n");
    for (const FlagInfo& flag : flags) {
      absl::StrAppend(&text, "--", flag.name, "=", ShownValue(flag.type, flag.default_value), "  (",
                      DescribeValues(flag), ")\n    ", flag.description, "\n");
    }
  }
  if (all) {
    absl::StrAppend(&text, "\nOf the logging library\n\n");
    for (const FlagInfo& flag : LoggingFlags()) {
      absl::StrAppend(&text, "--", flag.name, "=", flag.default_value, "  (", flag.type, ")\n    ",
                      flag.description, "\n");
    }
  }
  for (const auto& [name, preset] : presets) {
    absl::StrAppend(&text, "\n--preset=", name, " stands for\n   ");
    for (const auto& [flag, value] : preset) absl::StrAppend(&text, " --", flag, "=", value);
    absl::StrAppend(&text, "\n");
  }
  if (!all) absl::StrAppend(&text, "\n--help=all lists the flags of the logging library, too.\n");
  return text;
}

std::string PresetText(const Preset& preset) {
  std::string text;
  for (const auto& [flag, value] : preset) absl::StrAppend(&text, "--", flag, "=", value, "\n");
  return text;
}

}  // namespace tools
