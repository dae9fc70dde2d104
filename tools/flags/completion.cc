#include "tools/flags/completion.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_registry.h"

namespace tools {
namespace {

// PROGRAM, NAMES and CASES are filled in. Readline replaces what stands behind the last of
// COMP_WORDBREAKS, to which = belongs unless the user took it out.
constexpr char kScript[] = R"(# source <(PROGRAM --completion=bash)
_nqdarts_PROGRAM() {
  local line=${COMP_LINE:0:COMP_POINT}
  local word=${line##*[[:space:]]} kept=
  COMPREPLY=()
  case $word in
  -*=*)
    local value=${word#*=}
    [[ $COMP_WORDBREAKS == *=* ]] || kept=${word%%=*}=
    case ${word%%=*} in
CASES    *)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -P "$kept" -f -- "$value")
      ;;
    esac
    ;;
  -*)
    mapfile -t COMPREPLY < <(compgen -W "NAMES" -- "$word")
    [[ ${#COMPREPLY[@]} = 1 && $COMPREPLY != *= ]] || compopt -o nospace
    ;;
  *)
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    ;;
  esac
}
complete -F _nqdarts_PROGRAM PROGRAM
)";

// The branch for a flag that takes `words`, or none.
std::string Case(const std::string& flag, const std::vector<std::string>& words) {
  if (words.empty()) return absl::StrCat("    --", flag, ") ;;\n");
  return absl::StrCat("    --", flag, ") mapfile -t COMPREPLY < <(compgen -P \"$kept\" -W \"",
                      absl::StrJoin(words, " "), "\" -- \"$value\") ;;\n");
}

}  // namespace

std::string CompletionScript(const std::string& program, const Presets& presets) {
  std::vector<std::string> preset_names, names = {"--help", "--help=all", "--version"};
  for (const auto& [name, preset] : presets) preset_names.push_back(name);
  std::string cases = Case("help", {"all"});
  for (const gflags::CommandLineFlagInfo& flag : OurFlags()) {
    const bool names_preset = flag.name == "preset" || flag.name == "print_preset";
    const std::vector<std::string>& words = names_preset ? preset_names : ChoicesOf(flag.name);
    if (flag.type == "bool") {
      names.push_back(absl::StrCat("--", flag.name));
      names.push_back(absl::StrCat("--no", flag.name));
      absl::StrAppend(&cases, Case(flag.name, {"true", "false"}));
      continue;
    }
    names.push_back(absl::StrCat("--", flag.name, "="));
    const bool is_text = flag.type == "string";
    if (!is_text || names_preset || !words.empty()) absl::StrAppend(&cases, Case(flag.name, words));
  }
  return absl::StrReplaceAll(
      kScript, {{"PROGRAM", program}, {"NAMES", absl::StrJoin(names, " ")}, {"CASES", cases}});
}

}  // namespace tools
