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
#include <map>
#include <string>

#include "absl/status/status.h"

namespace tools {

// A named set of flag values: flag name -> value as one would write it on the command line.
using Preset = std::map<std::string, std::string>;
using Presets = std::map<std::string, Preset>;

// Parses the command line, gives every flag that was not on it the value of `presets[--preset]`,
// and runs `body`. An argument that is no flag is the value of the flag `argument`, if that is
// named. An unknown flag, a leftover argument, an unknown preset or an error from `body` prints one
// line to stderr. Returns the exit status: 0, 1 for an error, 2 for a wrong command line, 75 for
// Cancelled: stopped by a signal, to be started again with --resume=auto.
int RunTool(int argc, char** argv, const std::string& usage, const Presets& presets,
            const std::function<absl::Status()>& body, const char* argument = nullptr);

// The flags defined by this project's tools and their values in effect, sorted by name.
std::map<std::string, std::string> EffectiveFlags();

// True if `flag` was on the command line (not merely in a preset).
bool GivenByUser(const std::string& flag);

}  // namespace tools

#endif  // TOOLS_FLAGS_TOOL_H_
