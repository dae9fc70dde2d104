#include "nas/operations/drop_path.h"

#include "ATen/ops/empty.h"

namespace nas {
namespace {

// The finalizer of splitmix64: a bijection that scatters neighbouring numbers.
uint64_t Scatter(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

at::Tensor DropPath::Apply(const at::Tensor& x, int64_t site) const {
  const at::Tensor mask = masks.select(0, site).to(x.scalar_type());
  return x.div(1 - probability).mul_(mask.view({-1, 1, 1, 1}));
}

at::Tensor DropPathMasks(int64_t sites, const at::Tensor& sample_ids, uint64_t seed,
                         double probability) {
  const at::Tensor ids = sample_ids.cpu().contiguous();
  const int64_t num_samples = ids.numel();
  at::Tensor masks = at::empty({sites, num_samples}, at::kFloat);
  float* mask = masks.data_ptr<float>();
  for (int64_t site = 0; site < sites; ++site) {
    const uint64_t site_seed = Scatter(Scatter(seed) + static_cast<uint64_t>(site));
    for (int64_t i = 0; i < num_samples; ++i) {
      const uint64_t bits = Scatter(site_seed ^ static_cast<uint64_t>(ids.data_ptr<int64_t>()[i]));
      const double uniform = static_cast<double>(bits >> 11) * 0x1p-53;
      *mask++ = uniform < probability ? 0 : 1;
    }
  }
  return masks.to(sample_ids.device());
}

}  // namespace nas
