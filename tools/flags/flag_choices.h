// What words a flag takes, where they are few. Every such flag says so beside its definition, and
// RunTool holds every value against it, wherever it comes from:
//
//   DEFINE_string(device, "cpu", "Where the network computes.");
//   FLAG_CHOICES(device, {"cpu", "cuda"});
#ifndef TOOLS_FLAGS_FLAG_CHOICES_H_
#define TOOLS_FLAGS_FLAG_CHOICES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gflags/gflags.h"

namespace tools {

class ChoiceDeclaration {
 public:
  ChoiceDeclaration(const char* flag, const std::string*, std::vector<std::string> choices);
};

#define FLAG_CHOICES(flag, ...) \
  static const ::tools::ChoiceDeclaration choices_of_##flag(#flag, &FLAGS_##flag, __VA_ARGS__)

// In the order of their declaration; none if the flag takes any value of its type.
const std::vector<std::string>& ChoicesOf(const std::string& flag);

// InvalidArgument, "--flag=value: must be one of some, words; did you mean some?", the question
// only where one of `choices` is near.
absl::Status NoSuchChoice(absl::string_view flag, absl::string_view value,
                          const std::vector<std::string>& choices);

// OK for a flag without choices, and for its default. Else as NoSuchChoice.
absl::Status CheckChoice(const gflags::CommandLineFlagInfo& flag);

}  // namespace tools

#endif  // TOOLS_FLAGS_FLAG_CHOICES_H_
