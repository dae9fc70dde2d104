#include "tools/flags/tool.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gflags/gflags.h"
#include "glog/logging.h"

DEFINE_string(preset, "", "Named values for the flags that are not on the command line.");

namespace tools {
namespace {

constexpr int kError = 1;
constexpr int kUsage = 2;
constexpr int kStopped = 75;  // EX_TEMPFAIL of sysexits.h: try again.

std::set<std::string>& FlagsOnCommandLine() {
  static auto* flags = new std::set<std::string>;
  return *flags;
}

std::vector<gflags::CommandLineFlagInfo> OurFlags() {
  std::vector<gflags::CommandLineFlagInfo> flags;
  gflags::GetAllFlags(&flags);
  const auto foreign = [](const gflags::CommandLineFlagInfo& flag) {
    return !absl::StrContains(flag.filename, "tools/");
  };
  flags.erase(std::remove_if(flags.begin(), flags.end(), foreign), flags.end());
  return flags;
}

absl::Status ApplyPreset(const Presets& presets) {
  if (FLAGS_preset.empty()) return absl::OkStatus();
  const auto preset = presets.find(FLAGS_preset);
  if (preset == presets.end()) {
    const auto name = [](std::string* out, const auto& entry) { out->append(entry.first); };
    return absl::InvalidArgumentError(absl::StrCat("--preset=", FLAGS_preset, ": must be one of ",
                                                   absl::StrJoin(presets, ", ", name)));
  }
  for (const auto& [flag, value] : preset->second) {
    if (GivenByUser(flag)) continue;
    CHECK(!gflags::SetCommandLineOption(flag.c_str(), value.c_str()).empty())
        << "preset " << preset->first << " has a bad value for --" << flag << ": " << value;
  }
  return absl::OkStatus();
}

// Exceptions come from LibTorch only; a tool says what they say, less the C++ stack.
absl::Status RunBody(const std::function<absl::Status()>& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    const std::string what = error.what();
    return absl::InternalError(what.substr(0, what.find('\n')));
  }
}

int Fail(const absl::Status& status, int exit_status) {
  fprintf(stderr, "%s: %s\n", gflags::ProgramInvocationShortName(),
          std::string(status.message()).c_str());
  return exit_status;
}

}  // namespace

int RunTool(int argc, char** argv, const std::string& usage, const Presets& presets,
            const std::function<absl::Status()>& body, const char* argument) {
  gflags::SetUsageMessage(usage);
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    if (!flag.is_default) FlagsOnCommandLine().insert(flag.name);
  }
  if (argument != nullptr && argc == 2 && !GivenByUser(argument)) {
    gflags::SetCommandLineOption(argument, argv[1]);
  } else if (argc > 1) {
    return Fail(absl::InvalidArgumentError(
                    absl::StrCat("unexpected argument '", argv[1], "': every option is a --flag")),
                kUsage);
  }
  if (absl::Status status = ApplyPreset(presets); !status.ok()) return Fail(status, kUsage);
  if (absl::Status status = RunBody(body); !status.ok()) {
    return Fail(status, absl::IsCancelled(status) ? kStopped : kError);
  }
  return 0;
}

std::map<std::string, std::string> EffectiveFlags() {
  std::map<std::string, std::string> flags;
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    flags[flag.name] = flag.current_value;
  }
  return flags;
}

bool GivenByUser(const std::string& flag) { return FlagsOnCommandLine().count(flag) > 0; }

}  // namespace tools
