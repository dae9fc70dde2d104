// What somebody meant who misspelled a name.
#ifndef TOOLS_FLAGS_NEAREST_NAME_H_
#define TOOLS_FLAGS_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tools {

// The one of `names` that takes the fewest edits to become `name`: characters added, dropped or
// replaced, neighbours swapped (optimal string alignment distance). The first of several; "" if
// even that one takes more than a third of the name.
std::string NearestName(absl::string_view name, const std::vector<std::string>& names);

}  // namespace tools

#endif  // TOOLS_FLAGS_NEAREST_NAME_H_
