#include "tools/flags/version.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/build_id.h"

namespace tools {
namespace {

std::vector<std::string (*)()>& Lines() {
  static auto* lines = new std::vector<std::string (*)()>;
  return *lines;
}

}  // namespace

VersionLine::VersionLine(std::string (*describe)()) { Lines().push_back(describe); }

std::string VersionText(const std::string& program) {
  std::string text = absl::StrCat(program, " of nqdarts, build ", base::BuildId(), "\n");
  std::set<std::string> lines;
  for (const auto describe : Lines()) lines.insert(describe());
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  return text;
}

}  // namespace tools
