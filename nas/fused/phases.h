// What the passes of a fused cell share: the terms of a node, and what passes its edges by.
#ifndef NAS_FUSED_PHASES_H_
#define NAS_FUSED_PHASES_H_

#include <cstdint>
#include <vector>

#include "nas/fused/cell_pass.h"

namespace nas::fused {

// A term of the plan, with its planes of `size` values, sample by sample.
template <typename T>
struct Term : PlanTerm {
  const T* y;  // Of the first sample's first channel.
  int64_t size;
  int64_t sample_gap;   // Between one sample's last processed plane and the next one's first.
  const Fold<T>* fold;  // Null for the identity.

  // The first of the `channels` processed planes of a sample.
  const T* Sample(int64_t n, int64_t channels) const {
    return y + n * (channels * size + sample_gap);
  }
};

// Calls visit(term) for those of the edges into `node`, in alpha's order.
template <typename T, typename Visit>
void ForEachTerm(const CellPass<T>& pass, int node, const Visit& visit) {
  const CellPlan& plan = pass.plan;
  const int64_t size = pass.out_size();
  for (const PlanTerm& planned : plan.terms[node]) {
    Term<T> term{planned, nullptr, size, 0, nullptr};
    if (term.pool >= 0) {
      term.y = pass.pools[term.state][term.pool];
      term.fold = &pass.pool_folds[term.edge][term.pool];
    } else if (term.unit >= 0) {
      term.y = pass.pointwise[term.unit];
      term.fold = &pass.folds[term.unit];
    } else {
      term.y = pass.State(term.state, 0);
      term.sample_gap = pass.State(term.state, 1) - term.y - plan.processed() * size;
    }
    visit(term);
  }
}

// The channels of a sample that pass the edges out of `state` by, at the size of their outputs.
template <typename T>
const T* Bypass(const CellPass<T>& pass, int state, int64_t sample) {
  const int64_t channels = pass.plan.options.channels, processed = pass.plan.processed();
  if (pass.plan.stride(state) == 2) {
    return pass.bypass[state] + sample * (channels - processed) * pass.out_size();
  }
  return pass.State(state, sample) + processed * pass.state_size(state);
}

}  // namespace nas::fused

#endif  // NAS_FUSED_PHASES_H_
