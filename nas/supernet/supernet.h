// The network that a search trains: every cell holds every choice, of operation (alpha), of edge
// (beta) and of bit width (gamma); float PC-DARTS is the network of the single candidate 32 bits.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Supernet> supernet, Supernet::Create({.bits = {2, 4}}));
//   at::Tensor logits = supernet->Forward(images);
//   (CrossEntropy(logits, labels) + decay * supernet->Complexity()).backward();
#ifndef NAS_SUPERNET_SUPERNET_H_
#define NAS_SUPERNET_SUPERNET_H_

#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nas/fused/implementation.h"
#include "nas/supernet/architecture_parameters.h"
#include "nas/supernet/complexity.h"
#include "nas/supernet/precision_parameters.h"
#include "nas/supernet/supernet_cell.h"
#include "nas/supernet/supernet_config.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/nn/modules/linear.h"

namespace nas {

class Supernet {
 public:
  // Weights, alphas, betas and gammas start from LibTorch's default generator: torch::manual_seed
  // decides them. InvalidArgument as SupernetConfig::Check.
  static absl::StatusOr<std::unique_ptr<Supernet>> Create(const SupernetConfig& config);

  // images [N, 3, H, W], sides as CheckImageSide wants them; logits [N, classes].
  at::Tensor Forward(const at::Tensor& images);

  // With SupernetConfig::random_channels: draws the channels that edges process from now on, from
  // LibTorch's default generator. Once a step, as a step's passes belong together.
  void DrawChannels();

  // See complexity.h; after a forward, whose image size it depends on.
  at::Tensor Complexity() const;

  // Of the cells' convolutions for one image, after a forward.
  double MultiplyAdds() const;

  const SupernetConfig& config() const { return config_; }
  void set_implementation(Implementation implementation) { implementation_ = implementation; }

  // Weights and batch normalization; names are those of the published derived networks.
  torch::nn::Module& network() { return network_; }
  ArchitectureParametersImpl& architecture() { return *architecture_; }
  PrecisionParametersImpl& precision() { return *precision_; }
  std::vector<at::Tensor> weights() const { return network_.parameters(); }

  // Everything goes to a dtype or a device.
  template <typename Target>
  void To(Target target) {
    network_.to(target);
    architecture_->to(target);
    precision_->to(target);
  }

  // Weights, running statistics, alphas, betas and gammas by name, aliasing the network's.
  base::TensorMap State() const;
  // Copies `state` in. InvalidArgument naming the tensor that is missing, unknown, of another shape
  // or not finite; then nothing has changed.
  absl::Status LoadState(const base::TensorMap& state);

 private:
  explicit Supernet(const SupernetConfig& config);

  // Notes the convolutions of a cell, the `number`-th of its kind.
  void AddConvs(const SupernetCell& cell, int number);

  SupernetConfig config_;
  Implementation implementation_ = Implementation::kFused;
  torch::nn::Module network_{"supernet"};
  torch::nn::Sequential stem0_{nullptr}, stem1_{nullptr};  // stem1_ for ImageNet only.
  std::vector<std::shared_ptr<SupernetCell>> cells_;
  torch::nn::Linear classifier_{nullptr};
  ArchitectureParameters architecture_;
  PrecisionParameters precision_;
  std::vector<ConvUse> convs_;
};

}  // namespace nas

#endif  // NAS_SUPERNET_SUPERNET_H_
