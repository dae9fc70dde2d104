#include "data/sources/left_alone.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/io/printable_name.h"

namespace data {

LeftAlone::Group& LeftAlone::GroupOf(absl::string_view reason) {
  for (Group& group : groups_) {
    if (group.reason == reason) return group;
  }
  return groups_.emplace_back(Group{std::string(reason), 0, {}});
}

void LeftAlone::Add(absl::string_view name, absl::string_view reason) {
  Group& group = GroupOf(reason);
  if (group.names.size() < kNames) group.names.push_back(PrintableName(name));
  ++group.count;
}

void LeftAlone::Add(const LeftAlone& other) {
  for (const Group& added : other.groups_) {
    Group& group = GroupOf(added.reason);
    group.count += added.count;
    for (const std::string& name : added.names) {
      if (group.names.size() < kNames) group.names.push_back(name);
    }
  }
}

std::vector<std::string> LeftAlone::Lines(size_t names) const {
  std::vector<std::string> lines;
  for (const Group& group : groups_) {
    const size_t shown = std::min(names, group.names.size());
    lines.push_back(
        absl::StrCat("left alone: ", group.count, " (", group.reason,
                     "): ", absl::StrJoin(group.names.begin(), group.names.begin() + shown, ", "),
                     static_cast<int64_t>(shown) < group.count ? ", \u2026" : ""));
  }
  return lines;
}

}  // namespace data
