// Faults planted in the search network and in its steps are each caught by the golden vectors.

#include <string>
#include <vector>

#include "ATen/TensorOperators.h"
#include "absl/strings/match.h"
#include "base/tensor_file.h"
#include "c10/core/GradMode.h"
#include "distributed/data_parallel/batch_norm.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "quant/bit_cost.h"
#include "tests/golden/committed_vectors.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/supernet_groups.h"
#include "tests/golden/groups/trajectory_groups.h"
#include "torch/nn/module.h"

namespace golden {
namespace {

constexpr char kCell[] = "cell_cifar_reduce_b248.pt";
constexpr char kSupernet[] = "super_cifar_L5_b248_conditioned.pt";
constexpr char kFirstOrder[] = "traj_first_small_b248.pt";
constexpr char kSecondOrder[] = "traj_unrolled_copied_b248.pt";

bool Passes(const GoldenFile& file, const SupernetUnderTest& test = {}) {
  std::vector<Group> groups = SupernetGroups(test);
  for (const Group& group : TrajectoryGroups(test)) groups.push_back(group);
  return CheckFile(file, groups).passed();
}

// Calls `change` on the first module of type `Module` whose name contains `name`.
template <typename Module, typename Change>
SupernetUnderTest ChangedModule(const std::string& name, const Change& change) {
  return {.alter = [name, change](torch::nn::Module& network, base::TensorMap&) {
    for (const auto& named : network.named_modules("", /*include_self=*/false)) {
      auto* module = named.value()->as<Module>();
      if (module != nullptr && absl::StrContains(named.key(), name)) return change(*module);
    }
    ADD_FAILURE() << "no module " << name;
  }};
}

TEST(SupernetFaultsTest, WithoutFaultsAllPass) {
  for (const char* name : {kCell, kSupernet, kFirstOrder, kSecondOrder}) {
    EXPECT_TRUE(Passes(CommittedFile(name))) << name;
  }
}

TEST(SupernetFaultsTest, SwappedGammaRows) {
  const SupernetUnderTest swapped{.alter = [](torch::nn::Module&, base::TensorMap& state) {
    const c10::NoGradGuard no_grad;
    for (const auto& [name, gamma] : state) {
      if (!absl::StrContains(name, "gamma") || gamma.dim() < 3) continue;
      const at::Tensor first = gamma.select(-2, 0), second = gamma.select(-2, 1);
      const at::Tensor kept = first.clone();
      first.copy_(second);
      second.copy_(kept);
    }
  }};
  EXPECT_FALSE(Passes(CommittedFile(kCell), swapped));
  EXPECT_FALSE(Passes(CommittedFile(kSupernet), swapped));
}

// In evaluation, with the statistics it is constructed with, it is all but the identity.
TEST(SupernetFaultsTest, MissingBatchNormalization) {
  for (const std::string name : {"_ops.0._ops.1.1", "_ops.0._ops.4.bn1", "preprocess0.bn"}) {
    const auto missing = ChangedModule<distributed::BatchNorm2dImpl>(
        name, [](distributed::BatchNorm2dImpl& batch_norm) { batch_norm.eval(); });
    EXPECT_FALSE(Passes(CommittedFile(kCell), missing)) << name;
    EXPECT_FALSE(Passes(CommittedFile(kSupernet), missing)) << name;
  }
}

TEST(SupernetFaultsTest, GroupsInTheCost) {
  EXPECT_FALSE(
      Passes(CommittedFile(kSupernet), {.published_cost_model = quant::CostModel::kExact}));
}

TEST(SupernetFaultsTest, SwappedAlphaColumns) {
  const SupernetUnderTest swapped{.alter = [](torch::nn::Module&, base::TensorMap& state) {
    const c10::NoGradGuard no_grad;
    for (const auto& [name, alpha] : state) {
      if (absl::StrContains(name, "alphas")) alpha.copy_(alpha.flip(1));
    }
  }};
  EXPECT_FALSE(Passes(CommittedFile(kCell), swapped));
  EXPECT_FALSE(Passes(CommittedFile(kSupernet), swapped));
}

// A trajectory with another recipe than its own.
TEST(SupernetFaultsTest, WrongStep) {
  const auto changed = [](const char* name, const char* pointer, const nlohmann::json& value) {
    GoldenFile file = CommittedFile(name);
    file.entry["config"][nlohmann::json::json_pointer(pointer)] = value;
    return file;
  };
  EXPECT_FALSE(Passes(changed(kSecondOrder, "/mode", "first")));
  EXPECT_FALSE(Passes(changed(kFirstOrder, "/mode", "unrolled")));
  EXPECT_FALSE(Passes(changed(kSecondOrder, "/sgd/momentum", 0.8)));
  EXPECT_FALSE(Passes(changed(kSecondOrder, "/sgd/weight_decay", 0.0)));
  EXPECT_FALSE(Passes(changed(kFirstOrder, "/sgd_gamma/weight_decay", 0.0)));
  EXPECT_FALSE(Passes(changed(kFirstOrder, "/adam_arch/betas", {0.9, 0.999})));
  EXPECT_FALSE(Passes(changed(kFirstOrder, "/grad_clip", 0.5)));
  EXPECT_FALSE(Passes(changed(kFirstOrder, "/cd", 0.0)));
}

}  // namespace
}  // namespace golden
