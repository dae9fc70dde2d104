// Faults planted in what the baselines are checked against are each caught.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/golden/committed_vectors.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/plain_darts_groups.h"
#include "tests/golden/groups/post_training_groups.h"
#include "tests/golden/groups/precision_groups.h"

namespace golden {
namespace {

bool Passes(
    const std::string& name, const std::vector<Group>& groups,
    const std::function<void(GoldenFile& file)>& plant = [](GoldenFile&) {}) {
  GoldenFile file = CommittedFile(name);
  plant(file);
  return CheckFile(file, groups).passed();
}

TEST(BaselineFaultsTest, PostTraining) {
  const std::string name = "ptq_cifar_linear_p8f8bn12.pt";
  const auto passes_with = [&](const std::string& option, const nlohmann::json& value) {
    return Passes(name, PostTrainingGroups(),
                  [&](GoldenFile& file) { file.entry["config"][option] = value; });
  };
  EXPECT_TRUE(Passes(name, PostTrainingGroups()));
  EXPECT_FALSE(passes_with("param_bits", 7));
  EXPECT_FALSE(passes_with("bn_bits", 8));  // As if statistics were parameters.
  EXPECT_FALSE(passes_with("fwd_bits", 9));
  EXPECT_FALSE(passes_with("overflow_rate", 0.1));
  EXPECT_FALSE(passes_with("n_sample", 1));  // Scales of the first batch alone.
  EXPECT_FALSE(passes_with("method", "minmax"));
}

TEST(BaselineFaultsTest, FixedBits) {
  const std::string name = "fbqat_imagenet_2bit.pt";
  EXPECT_TRUE(Passes(name, PrecisionGroups()));
  for (const std::string list : {"abits_list", "wbits_list"}) {
    EXPECT_FALSE(Passes(name, PrecisionGroups(), [&](GoldenFile& file) {
      file.tensors.at(list)[0] = 32;  // A stem in float.
    }));
  }
}

TEST(BaselineFaultsTest, BitSearch) {
  const std::string name = "qsubnet_imagenet_random.pt";
  EXPECT_TRUE(Passes(name, PrecisionGroups()));
  EXPECT_FALSE(Passes(name, PrecisionGroups(), [](GoldenFile& file) {
    file.entry["config"]["bits"] = {2, 3};
  }));
  // The logits of activations and weights swapped, of one convolution.
  const std::string conv = "param/cells.0.preprocess1.op.1.";
  EXPECT_FALSE(Passes(name, PrecisionGroups(), [&](GoldenFile& file) {
    std::swap(file.tensors.at(conv + "mix_activ.alpha_activ"),
              file.tensors.at(conv + "mix_weight.alpha_weight"));
  }));
}

TEST(BaselineFaultsTest, PlainSupernet) {
  const std::string name = "darts_super_ptq.pt";
  EXPECT_TRUE(Passes(name, PlainDartsGroups()));
  EXPECT_FALSE(Passes(name, PlainDartsGroups(), [](GoldenFile& file) {
    std::swap(file.tensors.at("arch/alphas_normal"), file.tensors.at("arch/alphas_reduce"));
  }));
}

}  // namespace
}  // namespace golden
