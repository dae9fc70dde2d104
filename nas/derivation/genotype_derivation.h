// From the search's logits to the genotype.
#ifndef NAS_DERIVATION_GENOTYPE_DERIVATION_H_
#define NAS_DERIVATION_GENOTYPE_DERIVATION_H_

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "nas/space/genotype.h"

namespace nas {

// For each node, the two edges whose best primitive other than 'none' has the largest
// softmax(alpha)[edge, primitive] * softmax(beta of the node)[edge], strongest first, each with
// that primitive. Of equals the lower edge and the lower primitive win. alphas are [edges, 8],
// betas [edges], where a node of a cell has one edge from each earlier state: 2, 5, 9, 14 … edges.
// The arithmetic is float32 on the CPU whatever the input is, since ties depend on it
// (Network.genotype() of PC-DARTS and QDARTS). InvalidArgument names a tensor of the wrong shape or
// the first value that is not finite.
absl::StatusOr<Genotype> DeriveGenotype(const at::Tensor& alphas_normal,
                                        const at::Tensor& alphas_reduce,
                                        const at::Tensor& betas_normal,
                                        const at::Tensor& betas_reduce);

}  // namespace nas

#endif  // NAS_DERIVATION_GENOTYPE_DERIVATION_H_
