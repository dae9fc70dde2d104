#include "tools/flags/nearest_name.h"

#include <algorithm>
#include <cstddef>

namespace tools {
namespace {

size_t Edits(absl::string_view from, absl::string_view to) {
  // Of what precedes `i` in `from`, to every beginning of `to`: rows i - 2, i - 1 and i.
  std::vector<size_t> before, last(to.size() + 1), row(to.size() + 1);
  for (size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    before = last;
    last = row;
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

std::string NearestName(absl::string_view name, const std::vector<std::string>& names) {
  std::string nearest;
  size_t fewest = name.size() / 3 + 1;
  for (const std::string& other : names) {
    const size_t edits = Edits(name, other);
    if (edits < fewest) {
      fewest = edits;
      nearest = other;
    }
  }
  return nearest;
}

}  // namespace tools
