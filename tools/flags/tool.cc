#include "tools/flags/tool.h"

#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "tools/flags/command_line.h"
#include "tools/flags/completion.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/home_folder.h"
#include "tools/flags/standard_streams.h"
#include "tools/flags/version.h"

DEFINE_string(preset, "", "Named values for the flags that are not on the command line.");
DEFINE_string(print_preset, "",
              "Print the flags that the preset of this name stands for, and end.");
DEFINE_bool(dry_run, false,
            "Check flags, files and ranks, say what would run, and leave everything as it is.");

DEFINE_bool(quiet, false, "Show results, warnings and errors alone.");
DEFINE_string(completion, "",
              "Print a script that completes this tool's command line in a shell, and end.");
FLAG_CHOICES(completion, {"bash"});

namespace tools {
namespace {

constexpr int kError = 1;
constexpr int kUsage = 2;
constexpr int kStopped = 75;  // EX_TEMPFAIL of sysexits.h: try again.

// The preset that the value of `flag` names.
absl::StatusOr<Preset> PresetOfFlag(const char* flag, const std::string& value,
                                    const Presets& presets) {
  const auto preset = presets.find(value);
  if (preset != presets.end()) return preset->second;
  if (presets.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", data::PrintableName(value), ": this tool has no presets"));
  }
  std::vector<std::string> names;
  for (const auto& [name, unused] : presets) names.push_back(name);
  return NoSuchChoice(flag, value, names);
}

absl::Status ApplyPreset(const Presets& presets) {
  if (FLAGS_preset.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Preset preset, PresetOfFlag("preset", FLAGS_preset, presets));
  for (const auto& [flag, value] : preset) {
    if (GivenByUser(flag)) continue;
    CHECK(!gflags::SetCommandLineOption(flag.c_str(), value.c_str()).empty())
        << "preset " << FLAGS_preset << " has a bad value for --" << flag << ": " << value;
  }
  return absl::OkStatus();
}

// Sets every flag, and `others` as RunTool. InvalidArgument as from ParseCommandLine, ApplyPreset
// and CheckValues.
absl::Status SetFlags(const CommandLine& command_line, const Presets& presets, const char* argument,
                      std::vector<std::string>* others) {
  std::vector<std::string> left = command_line.arguments;
  if (argument != nullptr && (left.size() == 1 || (others != nullptr && !left.empty())) &&
      !GivenByUser(argument)) {
    gflags::SetCommandLineOption(argument, left[0].c_str());
    left.erase(left.begin());
  }
  if (others != nullptr) *others = std::exchange(left, {});
  if (!left.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected argument '", left[0], "': every option is a --flag"));
  }
  RETURN_IF_ERROR(ApplyPreset(presets));
  RETURN_IF_ERROR(ExpandHomeInFlags());
  return CheckValues();
}

std::string Answer(Question question, const std::string& usage, const Presets& presets) {
  if (question == Question::kVersion) return VersionText(gflags::ProgramInvocationShortName());
  return HelpText(usage, presets, /*all=*/question == Question::kFullHelp);
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

// The exit status after all is done, which is `exit_status` if what was printed has arrived.
int Finish(int exit_status) {
  const absl::Status printed = FlushStandardOutput();
  return printed.ok() ? exit_status : Fail(printed, kError);
}

}  // namespace

bool IsQuiet() { return FLAGS_quiet; }

bool IsDryRun() { return FLAGS_dry_run; }

int RunTool(int argc, char** argv, const std::string& usage, const Presets& presets,
            const std::function<absl::Status()>& body, const char* argument,
            std::vector<std::string>* others) {
  OccupyClosedStreams();
  gflags::SetArgv(argc, const_cast<const char**>(argv));  // For the program's name.
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  const absl::StatusOr<CommandLine> command_line = ParseCommandLine({argv + 1, argv + argc});
  if (!command_line.ok()) return Fail(command_line.status(), kUsage);
  if (command_line->question != Question::kNone) {
    fputs(Answer(command_line->question, usage, presets).c_str(), stdout);
    return Finish(0);
  }
  if (absl::Status status = SetFlags(*command_line, presets, argument, others); !status.ok()) {
    return Fail(status, kUsage);
  }
  if (!FLAGS_print_preset.empty()) {
    const absl::StatusOr<Preset> preset = PresetOfFlag("print_preset", FLAGS_print_preset, presets);
    if (!preset.ok()) return Fail(preset.status(), kUsage);
    fputs(PresetText(*preset).c_str(), stdout);
    return Finish(0);
  }
  if (!FLAGS_completion.empty()) {
    fputs(CompletionScript(gflags::ProgramInvocationShortName(), presets).c_str(), stdout);
    return Finish(0);
  }
  if (FLAGS_quiet) FLAGS_minloglevel = google::GLOG_WARNING;
  if (absl::Status status = RunBody(body); !status.ok()) {
    return Fail(status, absl::IsCancelled(status) ? kStopped : kError);
  }
  return Finish(0);
}

}  // namespace tools
