#include "tools/flags/flag_choices.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/io/printable_name.h"
#include "glog/logging.h"
#include "tools/flags/nearest_name.h"

namespace tools {
namespace {

std::map<std::string, std::vector<std::string>>& Declared() {
  static auto* choices = new std::map<std::string, std::vector<std::string>>;
  return *choices;
}

}  // namespace

ChoiceDeclaration::ChoiceDeclaration(const char* flag, const std::string*,
                                     std::vector<std::string> choices) {
  CHECK(Declared().emplace(flag, std::move(choices)).second)
      << "--" << flag << " has choices twice";
}

const std::vector<std::string>& ChoicesOf(const std::string& flag) {
  static const auto* none = new std::vector<std::string>;
  const auto choices = Declared().find(flag);
  return choices == Declared().end() ? *none : choices->second;
}

absl::Status NoSuchChoice(absl::string_view flag, absl::string_view value,
                          const std::vector<std::string>& choices) {
  const std::string nearest = NearestName(value, choices);
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", data::PrintableName(value), ": must be one of ",
                   absl::StrJoin(choices, ", "),
                   nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
}

absl::Status CheckChoice(const gflags::CommandLineFlagInfo& flag) {
  const std::vector<std::string>& choices = ChoicesOf(flag.name);
  if (choices.empty() || flag.current_value == flag.default_value ||
      std::find(choices.begin(), choices.end(), flag.current_value) != choices.end()) {
    return absl::OkStatus();
  }
  return NoSuchChoice(flag.name, flag.current_value, choices);
}

}  // namespace tools
