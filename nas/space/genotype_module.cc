#include "nas/space/genotype_module.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

struct NamedText {
  std::string name;  // "" if it has none.
  absl::string_view text;
};

bool IsOfName(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// The name that `before` assigns to what comes behind it.
std::string AssignedName(absl::string_view before) {
  before = absl::StripTrailingAsciiWhitespace(before);
  if (!absl::ConsumeSuffix(&before, "=")) return "";
  before = absl::StripTrailingAsciiWhitespace(before);
  size_t begin = before.size();
  while (begin > 0 && IsOfName(before[begin - 1])) --begin;
  return std::string(before.substr(begin));
}

// Up to the parenthesis that closes the first one; all of `text` if none does.
absl::string_view Call(absl::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (text[i] == ')' && depth == 0) return text.substr(0, i + 1);
  }
  return text;
}

std::vector<NamedText> FindGenotypes(absl::string_view text) {
  constexpr absl::string_view kCall = "Genotype(";
  std::vector<NamedText> found;
  for (size_t at = text.find(kCall); at != text.npos; at = text.find(kCall, at + 1)) {
    if (at > 0 && IsOfName(text[at - 1])) continue;
    found.push_back({AssignedName(text.substr(0, at)), Call(text.substr(at))});
  }
  return found;
}

// What a line `name = other` says that `name` is; `name` itself without one.
std::string Aliased(absl::string_view text, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> sides =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const absl::string_view other = absl::StripAsciiWhitespace(sides.second);
    if (absl::StripAsciiWhitespace(sides.first) == name && !other.empty() &&
        std::all_of(other.begin(), other.end(), IsOfName)) {
      return std::string(other);
    }
  }
  return std::string(name);
}

absl::Status NotFound(const std::vector<NamedText>& genotypes, absl::string_view name) {
  if (genotypes.empty()) return absl::NotFoundError("holds no Genotype(…)");
  std::vector<std::string> names;
  for (const NamedText& genotype : genotypes) {
    names.push_back(genotype.name.empty() ? "one without a name" : genotype.name);
  }
  return absl::NotFoundError(absl::StrCat(
      name.empty() ? "holds more than one genotype" : absl::StrCat("has no genotype ", name),
      "; there are ", absl::StrJoin(names, ", "), ": name one as FILE:NAME"));
}

}  // namespace

absl::StatusOr<Genotype> GenotypeOfModule(absl::string_view text, absl::string_view name) {
  const std::vector<NamedText> genotypes = FindGenotypes(text);
  const std::string wanted = name.empty() ? std::string() : Aliased(text, name);
  const auto found =
      std::find_if(genotypes.begin(), genotypes.end(), [&](const NamedText& genotype) {
        return name.empty() ? genotypes.size() == 1 : genotype.name == wanted;
      });
  if (found == genotypes.end()) return NotFound(genotypes, name);
  absl::StatusOr<Genotype> genotype = ParseGenotype(found->text);
  if (!genotype.ok() && !found->name.empty()) {
    return absl::Status(genotype.status().code(),
                        absl::StrCat(found->name, ": ", genotype.status().message()));
  }
  return genotype;
}

std::string GenotypeModule(absl::string_view name, const Genotype& genotype) {
  std::string primitives;
  for (const Primitive primitive : kSearchPrimitives) {
    absl::StrAppend(&primitives, "    '", PrimitiveName(primitive), "',\n");
  }
  return absl::StrCat(
      "from collections import namedtuple\n\n"
      "Genotype = namedtuple('Genotype', 'normal normal_concat reduce reduce_concat')\n\n"
      "PRIMITIVES = [\n",
      primitives, "]\n\n", name, " = ", GenotypeToText(genotype), "\n");
}

}  // namespace nas
