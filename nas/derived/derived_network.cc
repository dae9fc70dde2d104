#include "nas/derived/derived_network.h"

#include <cstddef>
#include <string>
#include <utility>

#include "ATen/ops/cat.h"
#include "ATen/ops/relu.h"
#include "base/status_macros.h"
#include "glog/logging.h"
#include "nas/derived/derived_cell.h"
#include "nas/derived/derived_layout.h"
#include "nas/derived/fixed_network.h"
#include "nas/networks/fixed_networks.h"
#include "nas/networks/network_graph.h"
#include "nas/networks/network_layout.h"
#include "nas/operations/auxiliary_head.h"
#include "nas/operations/operations.h"
#include "nas/operations/stem.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "quant/lattice.h"
#include "quant/precision.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/nn/modules/linear.h"

namespace nas {
namespace {

constexpr int64_t kCifarStemMultiplier = 3;

class CellNetwork : public DerivedNetwork {
 public:
  CellNetwork(const Architecture& architecture, const DerivedLayout& layout);

  Output forward(const at::Tensor& images, const DropPath& drop_path) override;
  int64_t num_drop_path_sites() const override;

 private:
  torch::nn::Sequential stem0_{nullptr};
  torch::nn::Sequential stem1_{nullptr};  // ImageNet's only.
  std::vector<std::shared_ptr<DerivedCell>> cells_;
  std::shared_ptr<AuxiliaryHead> auxiliary_head_;  // Null without.
  torch::nn::Linear classifier_{nullptr};
};

CellNetwork::CellNetwork(const Architecture& architecture, const DerivedLayout& layout)
    : DerivedNetwork(architecture) {
  const NetworkShape& shape = architecture.network;
  const quant::EightBit eight_bit = architecture.eight_bit;
  if (shape.images == ImageKind::kCifar) {
    stem0_ = register_module("stem", CifarStem(kCifarStemMultiplier * shape.channels, eight_bit));
  } else {
    stem0_ = register_module("stem0", ImageNetStem0(shape.channels, eight_bit));
    stem1_ = register_module("stem1", ImageNetStem1(shape.channels, eight_bit));
  }

  auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
  const OperationOptions options = {.eight_bit = eight_bit};
  const Genotype& genotype = architecture.genotype;
  for (size_t i = 0; i < layout.cells.size(); ++i) {
    const CellSite& site = layout.cells[i];
    cells_.push_back(std::make_shared<DerivedCell>(
        site, site.reduction ? genotype.reduce : genotype.normal, options));
    cells->register_module(std::to_string(i), cells_.back());
  }

  if (shape.auxiliary) {
    const int64_t channels = layout.cells[AuxiliaryCell(shape.layers)].output_channels;
    auxiliary_head_ = register_module(
        "auxiliary_head",
        std::make_shared<AuxiliaryHead>(shape.images, channels, shape.classes, eight_bit));
  }
  classifier_ = register_module(
      "classifier", torch::nn::Linear(layout.cells.back().output_channels, shape.classes));

  const auto modules = named_modules("", /*include_self=*/false);
  std::vector<quant::PrecisionConv2dImpl*> convs;
  for (const ConvSite& conv : layout.convs) {
    convs.push_back(modules[conv.name]->as<quant::PrecisionConv2dImpl>());
  }
  SetConvs(std::move(convs));
}

DerivedNetwork::Output CellNetwork::forward(const at::Tensor& images, const DropPath& drop_path) {
  if (is_training() && drop_path.probability > 0) {
    CHECK_EQ(drop_path.masks.size(0), num_drop_path_sites());
    CHECK_EQ(drop_path.masks.size(1), images.size(0));
  }
  Output output;
  std::vector<at::Tensor> s0 = {stem0_->forward(images)};
  std::vector<at::Tensor> s1 = {stem1_ ? stem1_->forward(s0[0]) : s0[0]};
  int64_t site = 0;
  for (size_t i = 0; i < cells_.size(); ++i) {
    s0 = std::exchange(s1, cells_[i]->forward(s0, s1, drop_path, site, implementation()));
    site += cells_[i]->num_drop_path_sites();
    if (auxiliary_head_ != nullptr && is_training() &&
        static_cast<int>(i) == AuxiliaryCell(architecture().network.layers)) {
      // The published head's ReLU works in place, so that what follows sees its result too.
      for (at::Tensor& part : s1) part = at::relu(part);
      output.auxiliary_logits = auxiliary_head_->forward(at::cat(s1, /*dim=*/1));
    }
  }
  output.logits = classifier_->forward(at::cat(s1, /*dim=*/1).mean(at::IntArrayRef{2, 3}));
  return output;
}

int64_t CellNetwork::num_drop_path_sites() const {
  int64_t sites = 0;
  for (const auto& cell : cells_) sites += cell->num_drop_path_sites();
  return sites;
}

}  // namespace

absl::StatusOr<std::shared_ptr<DerivedNetwork>> DerivedNetwork::Create(
    const Architecture& architecture) {
  RETURN_IF_ERROR(ValidateArchitecture(architecture));
  if (!architecture.fixed_network.empty()) {
    ASSIGN_OR_RETURN(NetworkGraph graph,
                     FixedNetworkGraph(architecture.fixed_network, architecture.network.classes));
    return std::make_shared<FixedNetwork>(architecture, std::move(graph));
  }
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(architecture));
  return std::make_shared<CellNetwork>(architecture, layout);
}

void DerivedNetwork::SetConvs(std::vector<quant::PrecisionConv2dImpl*> convs) {
  convs_ = std::move(convs);
  CHECK_EQ(convs_.size(), architecture_.bits.size());
  for (size_t i = 0; i < convs_.size(); ++i) {
    const ConvBits& bits = architecture_.bits[i];
    convs_[i]->set_precision(quant::Precision::Fixed(bits.activation, bits.weight));
  }
}

}  // namespace nas
