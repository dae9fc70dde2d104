// bazel run //tests/golden:check -- --vectors=FOLDER
//
// Checks every file of a folder of golden vectors and prints, for each, the error that came nearest
// to its tolerance. Fails if any file fails or belongs to no known group.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/all_groups.h"
#include "tools/flags/tool.h"

DEFINE_string(vectors, "", "Folder of golden vectors: manifest.json and the files it lists.");
DEFINE_string(only, "", "Check only files whose name contains this.");

namespace {

// `bazel run` starts a program elsewhere than in the caller's folder.
std::string FromCallersFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return std::filesystem::path(folder == nullptr ? "" : folder) / path;
}

absl::Status Check() {
  if (FLAGS_vectors.empty()) return absl::InvalidArgumentError("--vectors=FOLDER is required");
  ASSIGN_OR_RETURN(const std::vector<golden::GoldenFile> files,
                   golden::ListFolder(FromCallersFolder(FLAGS_vectors)));
  const int failed = golden::CheckFiles(files, golden::AllGroups(), FLAGS_only, std::cout);
  if (failed > 0) return absl::FailedPreconditionError(absl::StrCat(failed, " files failed"));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Checks golden vectors.", {}, Check);
}
