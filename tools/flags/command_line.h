// From argv to flags, and the text of --help.
#ifndef TOOLS_FLAGS_COMMAND_LINE_H_
#define TOOLS_FLAGS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/flags/presets.h"

namespace tools {

// What a command line asks for in place of the tool's work.
enum class Question { kNone, kHelp, kFullHelp, kVersion };

struct CommandLine {
  Question question = Question::kNone;  // If there is one, the flags are as they were.
  std::vector<std::string> arguments;   // What is no flag, in order.
};

// Sets the flags of `argv` (without the program's name) and notes them as given by the user.
// Written --flag=value or --flag value, a boolean one --flag or --noflag; the last of several
// counts; behind -- everything is an argument. Questions may stand anywhere before it.
// InvalidArgument, naming the flag: there is no such one (with its new name if it was renamed, or
// else the nearest one), a value is missing, or not of the flag's type. --settings names a file
// with a flag a line, with or without the -- before it; what is on the command line overrides it.
// Lines that are empty or begin with # are passed over; an error names file and line.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& argv);

// Every flag of ours with its type, range, default and meaning, in groups by subject, the program's
// own first; with `all` those of the logging library, too; and the presets' values.
std::string HelpText(const std::string& usage, const Presets& presets, bool all = false);

// A preset as it would be written on a command line, a flag a line.
std::string PresetText(const Preset& preset);

}  // namespace tools

#endif  // TOOLS_FLAGS_COMMAND_LINE_H_
