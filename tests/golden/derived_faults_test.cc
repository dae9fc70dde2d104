// Faults planted on the way from logits to a derived network are each caught.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros_like.h"
#include "base/tensor_file.h"
#include "gtest/gtest.h"
#include "nas/derivation/genotype_derivation.h"
#include "quant/bit_cost.h"
#include "tests/golden/committed_vectors.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/derived_groups.h"
#include "tests/golden/groups/genotype_groups.h"
#include "tests/golden/groups/number_groups.h"
#include "tests/golden/groups/operation_groups.h"
#include "torch/nn/module.h"

namespace golden {
namespace {

// Of sep_conv_3x3 and sep_conv_5x5, on every edge of every normal cell.
void SwapGammaRows(base::TensorMap& gammas) {
  at::Tensor& gamma = gammas.at("gamma_activ_celln");
  std::vector<at::Tensor> rows = gamma.unbind(2);
  std::swap(rows[0], rows[1]);
  gamma = at::stack(rows, 2);
}

// Evaluates the first normalization called so by its running statistics, which are still 0 and 1.
std::function<void(torch::nn::Module&)> WithoutNormalization(const std::string& name) {
  return [name](torch::nn::Module& network) {
    for (const auto& module : network.named_modules("", /*include_self=*/false)) {
      if (module.key() == name) return module.value()->eval();
    }
  };
}

TEST(DerivedFaultsTest, WithoutFaultsAllPasses) {
  const GoldenFile file = CommittedFile("derived_cifar_droppath_b24.pt");
  EXPECT_TRUE(CheckFile(file, DerivedGroups()).passed());
}

TEST(DerivedFaultsTest, SwappedGammaRows) {
  const DerivedUnderTest swapped{.alter_gammas = SwapGammaRows};
  EXPECT_FALSE(
      CheckFile(CommittedFile("derived_cifar_tiny_fullgrad_b24.pt"), DerivedGroups(swapped))
          .passed());
  EXPECT_FALSE(CheckFile(CommittedFile("numbers.json"), NumberGroups(swapped)).passed());
}

TEST(DerivedFaultsTest, MissingNormalization) {
  EXPECT_FALSE(CheckFile(CommittedFile("derived_cifar_tiny_fullgrad_b24.pt"),
                         DerivedGroups({.alter = WithoutNormalization("cells.4._ops.7.bn")}))
                   .passed());
  EXPECT_FALSE(
      CheckFile(CommittedFile("pcdarts_derived_imagenet.pt"),
                DerivedGroups({.alter = WithoutNormalization("auxiliary_head.features.3")}))
          .passed());
  EXPECT_FALSE(CheckFile(CommittedFile("ops_eval.pt"),
                         OperationGroups({.alter = WithoutNormalization("bn2")}))
                   .passed());
}

TEST(DerivedFaultsTest, GroupsInThePublishedCost) {
  const DerivedUnderTest divided{.published_cost_model = quant::CostModel::kExact};
  EXPECT_FALSE(
      CheckFile(CommittedFile("derived_imagenet_small_b24.pt"), DerivedGroups(divided)).passed());
  EXPECT_FALSE(CheckFile(CommittedFile("ops_eval.pt"), OperationGroups(divided)).passed());
  EXPECT_FALSE(CheckFile(CommittedFile("numbers.json"), NumberGroups(divided)).passed());
}

TEST(DerivedFaultsTest, OtherDropPath) {
  GoldenFile file = CommittedFile("derived_cifar_droppath_b24.pt");
  file.entry["config"]["drop_path_prob"] = 0.29;
  EXPECT_FALSE(CheckFile(file, DerivedGroups()).passed());
  file = CommittedFile("derived_cifar_droppath_b24.pt");
  at::Tensor& masks = file.tensors.at("drop_masks");
  masks = masks.flip(0);  // Sites in another order.
  EXPECT_FALSE(CheckFile(file, DerivedGroups()).passed());
}

TEST(DerivedFaultsTest, GenotypeWithoutBetas) {
  const auto without_betas = [](const at::Tensor& alphas_normal, const at::Tensor& alphas_reduce,
                                const at::Tensor& betas_normal, const at::Tensor& betas_reduce) {
    return nas::DeriveGenotype(alphas_normal, alphas_reduce, at::zeros_like(betas_normal),
                               at::zeros_like(betas_reduce));
  };
  EXPECT_FALSE(CheckFile(CommittedFile("genotypes.pt"), GenotypeGroups(without_betas)).passed());
}

}  // namespace
}  // namespace golden
