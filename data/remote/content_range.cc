#include "data/remote/content_range.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace data {

std::optional<ContentRange> ParseContentRange(absl::string_view value) {
  value = absl::StripAsciiWhitespace(value);
  constexpr absl::string_view kUnit = "bytes ";
  if (!absl::StartsWithIgnoreCase(value, kUnit)) return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(value.substr(kUnit.size()), absl::MaxSplits('/', 1));
  ContentRange range;
  if (!absl::SimpleAtoi(parts.second, &range.size)) return std::nullopt;
  range.none = absl::StripAsciiWhitespace(parts.first) == "*";
  if (range.none) return range;
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(parts.first, absl::MaxSplits('-', 1));
  if (!absl::SimpleAtoi(ends.first, &range.first) || !absl::SimpleAtoi(ends.second, &range.last) ||
      range.last < range.first || range.last >= range.size) {
    return std::nullopt;
  }
  return range;
}

}  // namespace data
