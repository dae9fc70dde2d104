// From argv to flags, and the text of --help.
#ifndef TOOLS_FLAGS_COMMAND_LINE_H_
#define TOOLS_FLAGS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/flags/presets.h"

namespace tools {

struct CommandLine {
  bool help = false;                   // --help; the flags are then as they were.
  std::vector<std::string> arguments;  // What is no flag, in order.
};

// Sets the flags of `argv` (without the program's name) and notes them as given by the user.
// Written --flag=value or --flag value, a boolean one --flag or --noflag; the last of several
// counts; behind -- everything is an argument. InvalidArgument, naming the flag: there is no such
// one (with its new name if it was renamed), a value is missing, or not of the flag's type.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& argv);

// Every flag of ours with its type, range, default and meaning, and the presets' values.
std::string HelpText(const std::string& usage, const Presets& presets);

}  // namespace tools

#endif  // TOOLS_FLAGS_COMMAND_LINE_H_
