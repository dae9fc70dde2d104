// Group genotypes.pt: the derivation of genotypes from alphas and betas.
#ifndef TESTS_GOLDEN_GROUPS_GENOTYPE_GROUPS_H_
#define TESTS_GOLDEN_GROUPS_GENOTYPE_GROUPS_H_

#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "nas/space/genotype.h"
#include "tests/golden/frame/registry.h"

namespace golden {

// alphas_normal, alphas_reduce, betas_normal, betas_reduce.
using GenotypeDerivation = std::function<absl::StatusOr<nas::Genotype>(
    const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

// `derive` is what is checked: nas::DeriveGenotype, or a faulty one in a test.
std::vector<Group> GenotypeGroups(const GenotypeDerivation& derive);
std::vector<Group> GenotypeGroups();

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_GENOTYPE_GROUPS_H_
