#include "nas/derived_network.h"

#include <cstddef>
#include <string>
#include <utility>

#include "ATen/ops/relu.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "glog/logging.h"
#include "nas/derived_layout.h"
#include "nas/genotype.h"
#include "nas/image_kind.h"
#include "nas/operations.h"
#include "nas/stem.h"
#include "quant/precision.h"

namespace nas {
namespace {

constexpr int64_t kCifarStemMultiplier = 3;

std::string BitsText(const ConvBits& bits) {
  return absl::StrCat(bits.activation, "/", bits.weight);
}

// What `bits` says of each operation; operations without convolutions keep the default.
absl::StatusOr<std::vector<ConvBits>> OperationBits(const DerivedLayout& layout,
                                                    const std::vector<ConvBits>& bits) {
  std::vector<ConvBits> operation_bits(layout.operations.size());
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    const size_t operation = layout.convs[i].operation;
    ConvBits& shared = operation_bits[operation];
    const bool first = i == 0 || layout.convs[i - 1].operation != operation;
    if (first) shared = bits[i];
    if (bits[i] != shared) {
      return absl::InvalidArgumentError(
          absl::StrCat("bits.", layout.convs[i].name, ": is ", BitsText(bits[i]), "; expected ",
                       BitsText(shared), " as before in ", layout.operations[operation].name,
                       ", since the convolutions of an operation share their bits"));
    }
  }
  return operation_bits;
}

}  // namespace

absl::StatusOr<std::shared_ptr<DerivedNetwork>> DerivedNetwork::Create(
    const Architecture& architecture) {
  RETURN_IF_ERROR(ValidateArchitecture(architecture));
  ASSIGN_OR_RETURN(const DerivedLayout layout,
                   MakeDerivedLayout(architecture.genotype, architecture.network));
  ASSIGN_OR_RETURN(const std::vector<ConvBits> bits, OperationBits(layout, architecture.bits));
  return std::shared_ptr<DerivedNetwork>(new DerivedNetwork(architecture, layout, bits));
}

DerivedNetwork::DerivedNetwork(const Architecture& architecture, const DerivedLayout& layout,
                               const std::vector<ConvBits>& operation_bits)
    : architecture_(architecture) {
  const NetworkShape& shape = architecture.network;
  if (shape.images == ImageKind::kCifar) {
    stem0_ = register_module("stem", CifarStem(kCifarStemMultiplier * shape.channels));
  } else {
    stem0_ = register_module("stem0", ImageNetStem0(shape.channels));
    stem1_ = register_module("stem1", ImageNetStem1(shape.channels));
  }

  auto cells = register_module("cells", std::make_shared<torch::nn::Module>());
  const OperationOptions options = {.eight_bit = architecture.eight_bit};
  size_t operation = 0;
  for (size_t i = 0; i < layout.cells.size(); ++i) {
    const CellSite& site = layout.cells[i];
    std::vector<quant::Precision> precisions;
    for (; operation < layout.operations.size() &&
           layout.operations[operation].cell == static_cast<int>(i);
         ++operation) {
      const ConvBits& bits = operation_bits[operation];
      precisions.push_back(quant::Precision::Fixed(bits.activation, bits.weight));
    }
    const Genotype& genotype = architecture.genotype;
    cells_.push_back(std::make_shared<DerivedCell>(
        site, site.reduction ? genotype.reduce : genotype.normal, std::move(precisions), options));
    cells->register_module(std::to_string(i), cells_.back());
  }

  if (shape.auxiliary) {
    const int64_t channels = layout.cells[AuxiliaryCell(shape.layers)].output_channels;
    auxiliary_head_ = register_module(
        "auxiliary_head", std::make_shared<AuxiliaryHead>(shape.images, channels, shape.classes));
  }
  classifier_ = register_module(
      "classifier", torch::nn::Linear(layout.cells.back().output_channels, shape.classes));
}

DerivedNetwork::Output DerivedNetwork::forward(const at::Tensor& images,
                                               const DropPath& drop_path) {
  if (is_training() && drop_path.probability > 0) {
    CHECK_EQ(drop_path.masks.size(0), num_drop_path_sites());
    CHECK_EQ(drop_path.masks.size(1), images.size(0));
  }
  Output output;
  at::Tensor s0 = stem0_->forward(images);
  at::Tensor s1 = stem1_ ? stem1_->forward(s0) : s0;
  int64_t site = 0;
  for (size_t i = 0; i < cells_.size(); ++i) {
    s0 = std::exchange(s1, cells_[i]->forward(s0, s1, drop_path, site));
    site += cells_[i]->num_drop_path_sites();
    if (auxiliary_head_ != nullptr && is_training() &&
        static_cast<int>(i) == AuxiliaryCell(architecture_.network.layers)) {
      // The published head's ReLU works in place, so that what follows sees its result too.
      s1 = at::relu(s1);
      output.auxiliary_logits = auxiliary_head_->forward(s1);
    }
  }
  output.logits = classifier_->forward(s1.mean(at::IntArrayRef{2, 3}));
  return output;
}

int64_t DerivedNetwork::num_drop_path_sites() const {
  int64_t sites = 0;
  for (const auto& cell : cells_) sites += cell->num_drop_path_sites();
  return sites;
}

}  // namespace nas
