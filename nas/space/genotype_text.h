// The published text form of a genotype, as a tree: what the syntax alone says.
#ifndef NAS_SPACE_GENOTYPE_TEXT_H_
#define NAS_SPACE_GENOTYPE_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

// Reads `Genotype(field=value, …)`, where a value is an integer, a quoted string, a list or tuple
// of values, or range(first, end), and returns the object {field: value}; a range becomes its
// list. InvalidArgument names the 1-based character and what was expected there.
absl::StatusOr<nlohmann::ordered_json> GenotypeTextToJson(absl::string_view text);

}  // namespace nas

#endif  // NAS_SPACE_GENOTYPE_TEXT_H_
