// The flags that this project's programs define, as gflags holds them, and which of them the user
// gave.
#ifndef TOOLS_FLAGS_FLAG_REGISTRY_H_
#define TOOLS_FLAGS_FLAG_REGISTRY_H_

#include <map>
#include <string>
#include <vector>

#include "gflags/gflags.h"

namespace tools {

// Sorted by file, then by name; without those of glog and gflags.
std::vector<gflags::CommandLineFlagInfo> OurFlags();

// True if `flag` was on the command line (not merely in a preset).
bool GivenByUser(const std::string& flag);
void NoteGivenByUser(const std::string& flag);

// OurFlags and their values in effect, numbers as ShownValue has them. Bytes that are no UTF-8 are escaped as in C, so that every
// value may become JSON.
std::map<std::string, std::string> EffectiveFlags();

}  // namespace tools

#endif  // TOOLS_FLAGS_FLAG_REGISTRY_H_
