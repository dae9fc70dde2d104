// The flags in effect as people read them.
#ifndef TOOLS_FLAGS_SETTINGS_TEXT_H_
#define TOOLS_FLAGS_SETTINGS_TEXT_H_

#include <string>

namespace tools {

// A line for every flag of ours, names and values in columns: first those that differ from their
// defaults, whether the command line says so or a preset, then the others. No newline at the end.
std::string SettingsText();

}  // namespace tools

#endif  // TOOLS_FLAGS_SETTINGS_TEXT_H_
