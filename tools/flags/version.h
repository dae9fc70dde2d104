// What --version says.
//
//   const tools::VersionLine libtorch([] { return std::string("LibTorch 2.11.0"); });
#ifndef TOOLS_FLAGS_VERSION_H_
#define TOOLS_FLAGS_VERSION_H_

#include <string>

namespace tools {

// A line of --version, of a library that not every program has. Declared beside what uses it.
class VersionLine {
 public:
  explicit VersionLine(std::string (*describe)());
};

// "search of nqdarts, build 1f2e…", and the lines declared, in the order of the alphabet.
std::string VersionText(const std::string& program);

}  // namespace tools

#endif  // TOOLS_FLAGS_VERSION_H_
