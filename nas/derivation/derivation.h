// From what a search has learned to the network that it stands for.
#ifndef NAS_DERIVATION_DERIVATION_H_
#define NAS_DERIVATION_DERIVATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_layout.h"
#include "quant/lattice.h"

namespace nas {

struct DerivationOptions {
  NetworkShape network;                // Of the network to derive.
  std::vector<int64_t> bits = {2, 4};  // Candidates of the search; a single one has no gammas.
  DepthRule depth_rule = DepthRule::kPublished;
  quant::EightBit eight_bit = quant::EightBit::kPublished;
};

// The genotype of `state`'s alphas and betas (nas/derivation/genotype_derivation.h) with the bits
// of its gammas (nas/derivation/bit_assignment.h); other tensors are passed over. InvalidArgument
// as from these, or naming the tensor that is missing.
absl::StatusOr<Architecture> DeriveArchitecture(const base::TensorMap& state,
                                                const DerivationOptions& options);

}  // namespace nas

#endif  // NAS_DERIVATION_DERIVATION_H_
