// Drop path: training switches whole operations off, sample by sample (FractalNet, as in DARTS).
//
//   const int64_t sites = network->num_drop_path_sites();
//   const DropPath drop_path{0.3, DropPathMasks(sites, batch.sample_ids, step_seed, 0.3)};
//   network->forward(images, drop_path);
#ifndef NAS_OPERATIONS_DROP_PATH_H_
#define NAS_OPERATIONS_DROP_PATH_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace nas {

struct DropPath {
  double probability = 0;  // In [0, 1); at 0 there are no masks.
  // [sites, N], 0 where the sample's path is dropped and 1 elsewhere. Sites are the operations
  // other than the identity, cell by cell as the genotype lists them.
  at::Tensor masks = {};

  // x [N, C, H, W] with the dropped samples 0 and the others divided by 1 - probability.
  at::Tensor Apply(const at::Tensor& x, int64_t site) const;
};

// [sites, N] masks, float32 on the device of `sample_ids` [N] int64. (seed, site, sample id) alone
// decides an entry, so a sample's paths are the same on any rank and at any place in a batch;
// `seed` has to differ from step to step.
at::Tensor DropPathMasks(int64_t sites, const at::Tensor& sample_ids, uint64_t seed,
                         double probability);

}  // namespace nas

#endif  // NAS_OPERATIONS_DROP_PATH_H_
