// The frame of every main(): flags, presets, logging, one line for a failure.
//
//   DEFINE_string(input, "", "What to pack.");
//
//   int main(int argc, char** argv) {
//     return tools::RunTool(argc, argv, "Packs images into shards.", {}, [] { return
//     Pack(FLAGS_input); });
//   }
#ifndef TOOLS_FLAGS_TOOL_H_
#define TOOLS_FLAGS_TOOL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/flags/presets.h"

namespace tools {

// Parses the command line (command_line.h), gives every flag that was not on it the value of
// `presets[--preset]`, holds all against their ranges, and runs `body`. An argument that is no flag
// is the value of the flag `argument`, if that is named; `others`, if not null, gets those behind
// the first. What is wrong, standard output that cannot be written included, is one line on stderr.
// Returns the exit status: 0, 1 for an error of `body` or of standard output, 2 for a wrong command
// line, 75 for Cancelled: stopped by a signal, to be started again with --resume=auto. --help,
// --version, --print_preset and --completion print and return 0.
int RunTool(int argc, char** argv, const std::string& usage, const Presets& presets,
            const std::function<absl::Status()>& body, const char* argument = nullptr,
            std::vector<std::string>* others = nullptr);

// --quiet: the body shows its results alone.
bool IsQuiet();

// --dry_run: the body checks what it can and prints what it would do, "would …", instead.
bool IsDryRun();

}  // namespace tools

#endif  // TOOLS_FLAGS_TOOL_H_
