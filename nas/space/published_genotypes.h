// The genotypes published with NASNet, AmoebaNet, DARTS, PC-DARTS and QDARTS, by name.
#ifndef NAS_SPACE_PUBLISHED_GENOTYPES_H_
#define NAS_SPACE_PUBLISHED_GENOTYPES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nas/space/genotype.h"

namespace nas {

// Every name, in the order of publication; two of them (DARTS, PCDARTS) are aliases.
std::vector<std::string> PublishedGenotypeNames();

// NotFound, listing the names, if there is no such genotype.
absl::StatusOr<Genotype> PublishedGenotype(absl::string_view name);

// What --architecture accepts besides a file: a published name, or a genotype written as text or
// JSON.
absl::StatusOr<Genotype> ResolveGenotype(absl::string_view name_or_text);

}  // namespace nas

#endif  // NAS_SPACE_PUBLISHED_GENOTYPES_H_
