// Completion of a tool's command line in bash, made from its flags.
#ifndef TOOLS_FLAGS_COMPLETION_H_
#define TOOLS_FLAGS_COMPLETION_H_

#include <string>

#include "tools/flags/presets.h"

namespace tools {

// A script for bash to source: completes the names of all flags of ours, both forms of a switch,
// the words that a flag takes (flag_choices.h, the names of `presets`), files for other text, and
// nothing for numbers.
std::string CompletionScript(const std::string& program, const Presets& presets);

}  // namespace tools

#endif  // TOOLS_FLAGS_COMPLETION_H_
