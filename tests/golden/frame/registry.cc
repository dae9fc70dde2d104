#include "tests/golden/frame/registry.h"

#include <algorithm>
#include <exception>
#include <ostream>
#include <regex>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace golden {
namespace {

constexpr size_t kFailuresShown = 5;

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

void Print(const std::string& name, const FileResult& result, std::ostream& out) {
  const Comparison& comparison = result.comparison;
  out << absl::StreamFormat("%s %-40s", result.passed() ? "ok    " : "FAILED", name);
  if (comparison.count() > 0) {
    const Measurement& worst = comparison.worst();
    out << absl::StreamFormat(" %5d compared, worst %8.2e of %7.1e at %s", comparison.count(),
                              worst.error, worst.tolerance, worst.what);
  }
  if (comparison.undecided() > 0) {
    out << absl::StreamFormat(", %d undecided", comparison.undecided());
  }
  if (!result.problem.empty()) out << ": " << result.problem;
  out << "\n";
  const auto& failures = comparison.failures();
  for (size_t i = 0; i < std::min(failures.size(), kFailuresShown); ++i) {
    out << absl::StreamFormat("       %s: error %.3g, tolerance %.1e\n", failures[i].what,
                              failures[i].error, failures[i].tolerance);
  }
  if (failures.size() > kFailuresShown) {
    out << absl::StreamFormat("       and %d more\n", failures.size() - kFailuresShown);
  }
  out.flush();
}

}  // namespace

FileResult CheckFile(const GoldenFile& file, const std::vector<Group>& groups) {
  FileResult result;
  const auto group = std::find_if(groups.begin(), groups.end(), [&file](const Group& g) {
    return std::regex_match(file.name, std::regex(g.names));
  });
  if (group == groups.end()) {
    result.problem = "unknown group";
    return result;
  }
  try {
    group->check(file, result.comparison);
    if (result.comparison.count() == 0) result.problem = "nothing compared";
  } catch (const std::exception& error) {
    result.problem = FirstLine(error.what());
  }
  return result;
}

int CheckFiles(const std::vector<GoldenFile>& listed, const std::vector<Group>& groups,
               const std::string& only, std::ostream& out) {
  int passed = 0;
  int failed = 0;
  for (const GoldenFile& entry : listed) {
    if (!absl::StrContains(entry.name, only)) continue;
    const absl::StatusOr<GoldenFile> file = Load(entry);
    FileResult result;
    if (file.ok()) {
      result = CheckFile(*file, groups);
    } else {
      result.problem = std::string(file.status().message());
    }
    Print(entry.name, result, out);
    ++(result.passed() ? passed : failed);
  }
  out << passed << " passed, " << failed << " failed\n";
  return failed;
}

}  // namespace golden
