// genotypes.py of the published code: Python that gives genotypes their names.
//
//   PC_DARTS_cifar = Genotype(normal=[('sep_conv_3x3', 1), …], normal_concat=range(2, 6), …)
//   PCDARTS = PC_DARTS_cifar
#ifndef NAS_SPACE_GENOTYPE_MODULE_H_
#define NAS_SPACE_GENOTYPE_MODULE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nas/space/genotype.h"

namespace nas {

// The genotype that `text` calls `name`, or with an empty name the only one that it has: text of
// any kind may stand around it, as in a search's log. No code runs. NotFound, listing the names, if
// there is none or not only one; InvalidArgument as from ParseGenotype, naming the genotype.
absl::StatusOr<Genotype> GenotypeOfModule(absl::string_view text, absl::string_view name);

// A Python module in which `name` is `genotype`, as the published code imports it; `name` is a
// Python name.
std::string GenotypeModule(absl::string_view name, const Genotype& genotype);

}  // namespace nas

#endif  // NAS_SPACE_GENOTYPE_MODULE_H_
