// The network of an architecture whose structure is given.
#ifndef NAS_DERIVED_FIXED_NETWORK_H_
#define NAS_DERIVED_FIXED_NETWORK_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/networks/graph_modules.h"
#include "nas/networks/network_graph.h"
#include "nas/operations/drop_path.h"

namespace nas {

// Use DerivedNetwork::Create, unless the graph is another one than architecture.fixed_network's
// own: one with auxiliary heads, for example.
class FixedNetwork : public DerivedNetwork {
 public:
  FixedNetwork(const Architecture& architecture, NetworkGraph graph)
      : DerivedNetwork(architecture), modules_(std::move(graph), *this, architecture.eight_bit) {
    SetConvs(modules_.convs());
  }

  // The logits alone; no path is dropped.
  Output forward(const at::Tensor& images, const DropPath& /*drop_path*/ = {}) override {
    return {.logits = Outputs(images).front(), .auxiliary_logits = {}};
  }
  int64_t num_drop_path_sites() const override { return 0; }

  // All outputs of the graph.
  std::vector<at::Tensor> Outputs(const at::Tensor& images) {
    return modules_.Forward(images, observe_);
  }

  // Shows it what every node puts out; null: no more.
  void set_observer(GraphModules::Observer observe) { observe_ = std::move(observe); }

 private:
  GraphModules modules_;
  GraphModules::Observer observe_;
};

}  // namespace nas

#endif  // NAS_DERIVED_FIXED_NETWORK_H_
