// Groups of golden files: which file names a group knows, and how it checks one.
//
//   std::vector<Group> MyGroups() {
//     return {{"mixconv_.*\\.pt", [](const GoldenFile& file, Comparison& comparison) {
//                comparison.Near("out", Compute(file), file.Tensor("out/out"), 1e-6);
//              }}};
//   }
//
// A family of groups is a file of tests/golden/groups with such a function; AllGroups
// (tests/golden/all_groups.h) joins them.
#ifndef TESTS_GOLDEN_FRAME_REGISTRY_H_
#define TESTS_GOLDEN_FRAME_REGISTRY_H_

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/golden/frame/comparison.h"
#include "tests/golden/frame/golden_file.h"

namespace golden {

// What a file lacks, or what LibTorch refuses, may be thrown as a std::exception.
using Check = std::function<void(const GoldenFile&, Comparison&)>;

struct Group {
  std::string names;  // regular expression for the whole file name
  Check check;
};

struct FileResult {
  Comparison comparison;
  std::string problem;  // why there was no check, or no complete one; else empty

  bool passed() const {
    return problem.empty() && comparison.count() > 0 && comparison.failures().empty();
  }
};

// Checks a loaded file with the first group that knows it; a file no group knows has a problem.
FileResult CheckFile(const GoldenFile& file, const std::vector<Group>& groups);

// Checks the files of `listed` whose name contains `only`, printing a line each and at the end
// "N passed, M failed". Returns M.
int CheckFiles(const std::vector<GoldenFile>& listed, const std::vector<Group>& groups,
               const std::string& only, std::ostream& out);

}  // namespace golden

#endif  // TESTS_GOLDEN_FRAME_REGISTRY_H_
