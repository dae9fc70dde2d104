// What stands in an input beside its samples: nothing is passed over without a word.
#ifndef DATA_SOURCES_LEFT_ALONE_H_
#define DATA_SOURCES_LEFT_ALONE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace data {

class LeftAlone {
 public:
  static constexpr size_t kNames = 100;

  // All that was left alone for one reason.
  struct Group {
    std::string reason;
    int64_t count = 0;
    std::vector<std::string> names;  // the first kNames
  };

  // `name` is what a person looks for.
  void Add(absl::string_view name, absl::string_view reason);

  // All of another list.
  void Add(const LeftAlone& other);

  bool empty() const { return groups_.empty(); }

  // By reason, in the order of the first of each.
  const std::vector<Group>& groups() const { return groups_; }

  // A line for each reason: "left alone: 3 (no image by its name): a.txt, b.txt, c.txt", with up to
  // `names` of the names.
  std::vector<std::string> Lines(size_t names) const;

 private:
  Group& GroupOf(absl::string_view reason);

  std::vector<Group> groups_;
};

}  // namespace data

#endif  // DATA_SOURCES_LEFT_ALONE_H_
