// The network of an architecture, of a genotype or one whose structure is given, in float or with
// fixed bits for every convolution, to be trained and evaluated.
//
//   ASSIGN_OR_RETURN(const Architecture architecture, ReadArchitecture("architecture.json"));
//   ASSIGN_OR_RETURN(const auto network, DerivedNetwork::Create(architecture));
//   const auto [logits, auxiliary_logits] = network->forward(images, drop_path);
#ifndef NAS_DERIVED_DERIVED_NETWORK_H_
#define NAS_DERIVED_DERIVED_NETWORK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "nas/derived/architecture.h"
#include "nas/fused/implementation.h"
#include "nas/operations/drop_path.h"
#include "quant/precision_conv.h"
#include "torch/nn/module.h"

namespace nas {

// Of a genotype: NetworkCIFAR and NetworkImageNet of QDARTS/model.py, with their names: `stem` or
// `stem0` and `stem1`, `cells.<i>`, `auxiliary_head`, `classifier`. The final pooling is the mean
// over all pixels, which are ImageNet's 7x7 for images of 224. A fixed network has the modules of
// its graph (nas/networks/graph_modules.h), and no auxiliary head.
class DerivedNetwork : public torch::nn::Module {
 public:
  // Weights start from LibTorch's default generator: torch::manual_seed decides them.
  // InvalidArgument as from ValidateArchitecture.
  static absl::StatusOr<std::shared_ptr<DerivedNetwork>> Create(const Architecture& architecture);

  struct Output {
    at::Tensor logits;            // [N, classes]
    at::Tensor auxiliary_logits;  // The same; undefined in evaluation or without the head.
  };
  // images [N, 3, side, side]. Drop path acts in training only.
  virtual Output forward(const at::Tensor& images, const DropPath& drop_path = {}) = 0;

  // How many rows the masks of a drop path have.
  virtual int64_t num_drop_path_sites() const = 0;

  const Architecture& architecture() const { return architecture_; }
  void set_implementation(Implementation implementation) { implementation_ = implementation; }

  // The convolutions of DerivedLayout::convs, in that order, each with the precision that the
  // architecture gives it until another is set.
  const std::vector<quant::PrecisionConv2dImpl*>& convs() const { return convs_; }

 protected:
  explicit DerivedNetwork(const Architecture& architecture) : architecture_(architecture) {}

  // Once its modules are there.
  void SetConvs(std::vector<quant::PrecisionConv2dImpl*> convs);
  Implementation implementation() const { return implementation_; }

 private:
  Architecture architecture_;
  Implementation implementation_ = Implementation::kFused;
  std::vector<quant::PrecisionConv2dImpl*> convs_;
};

}  // namespace nas

#endif  // NAS_DERIVED_DERIVED_NETWORK_H_
