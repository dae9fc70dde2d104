#include "nas/weights/weight_file.h"

#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/module_state.h"
#include "base/tensor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/space/published_genotypes.h"
#include "nas/weights/published_names.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<DerivedNetwork> MakeNetwork(bool auxiliary) {
  return DerivedNetwork::Create(
             UniformArchitecture(*PublishedGenotype("PC_DARTS_cifar"),
                                 {.channels = 4, .layers = 3, .auxiliary = auxiliary}, {})
                 .value())
      .value();
}

class WeightFileTest : public ::testing::Test {
 protected:
  // The file's tensors after `change`, written again.
  template <typename Change>
  void Rewrite(Change change) const {
    const base::TensorMap before = *base::ReadTensorFile(path_);
    base::TensorMap after;
    for (const auto& [name, tensor] : before) change(name, tensor, after);
    ASSERT_TRUE(base::WriteTensorFile(path_, after).ok());
  }

  void ExpectReadEqualsWritten() const {
    const absl::Status status = ReadWeights(path_, into_state_);
    ASSERT_TRUE(status.ok()) << status;
    for (const auto& [name, tensor] : into_state_) {
      EXPECT_TRUE(at::equal(tensor, from_state_.at(name))) << name;
    }
  }

  std::string ReadError() const { return std::string(ReadWeights(path_, into_state_).message()); }

  const std::string path_ = absl::StrCat(getenv("TEST_TMPDIR"), "/weights.pt");
  const std::shared_ptr<DerivedNetwork> from_ = MakeNetwork(true), into_ = MakeNetwork(true);
  const base::TensorMap from_state_ = base::ModuleState(*from_),
                        into_state_ = base::ModuleState(*into_);
};

TEST_F(WeightFileTest, EveryStyleRoundTrips) {
  for (const auto style : {PublishedStyle::kQdartsDerived, PublishedStyle::kQdartsSupernet,
                           PublishedStyle::kPcDarts}) {
    const base::TensorMap fresh = base::ModuleState(*MakeNetwork(true));
    ASSERT_TRUE(base::CopyState(fresh, into_state_).ok());
    ASSERT_TRUE(WriteWeights(path_, from_state_, style).ok());
    ExpectReadEqualsWritten();
  }
}

TEST_F(WeightFileTest, ReadsCheckpointsOfDataParallelWithoutBatchCounters) {
  ASSERT_TRUE(WriteWeights(path_, from_state_, PublishedStyle::kPcDarts).ok());
  Rewrite([](const std::string& name, const at::Tensor& tensor, base::TensorMap& after) {
    if (!absl::EndsWith(name, "num_batches_tracked")) {
      after.emplace(absl::StrCat("state_dict/module.", name), tensor);
      after.emplace(absl::StrCat("optimizer/state/", after.size()), tensor);
    }
  });
  ExpectReadEqualsWritten();
}

TEST_F(WeightFileTest, TheHeadMayBeLeftOut) {
  ASSERT_TRUE(WriteWeights(path_, from_state_, PublishedStyle::kQdartsDerived).ok());
  const auto without = MakeNetwork(false);
  const absl::Status status = ReadWeights(path_, base::ModuleState(*without));
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(WeightFileTest, RangesOfActivationsGoBesideTheWeights) {
  const base::TensorMap ranges = {{"cells.0.preprocess0.conv.activation_range", at::rand({2, 12})}};
  ASSERT_TRUE(
      WriteWeights(path_, from_state_, PublishedStyle::kQdartsDerived, {.ranges = ranges}).ok());
  ExpectReadEqualsWritten();
  WeightCompanions read;
  ASSERT_TRUE(ReadWeights(path_, into_state_, &read).ok());
  ASSERT_EQ(read.ranges.size(), 1);
  EXPECT_TRUE(at::equal(read.ranges.begin()->second, ranges.begin()->second));
  // None in a file of the published code.
  ASSERT_TRUE(WriteWeights(path_, from_state_, PublishedStyle::kQdartsDerived).ok());
  ASSERT_TRUE(ReadWeights(path_, into_state_, &read).ok());
  EXPECT_TRUE(read.ranges.empty());
}

TEST_F(WeightFileTest, NamesOfClassesGoBesideTheDict) {
  const std::vector<std::string> classes = {"cat", "\"dog\"\n", "", "th\xc3\xa9"};
  ASSERT_TRUE(WriteWeights(path_, from_state_, PublishedStyle::kQdartsDerived).ok());
  const base::TensorMap plain = *base::ReadTensorFile(path_);
  WeightCompanions read = {.classes = {"left over"}};
  ASSERT_TRUE(ReadWeights(path_, into_state_, &read).ok());
  EXPECT_TRUE(read.classes.empty());

  ASSERT_TRUE(
      WriteWeights(path_, from_state_, PublishedStyle::kQdartsDerived, {.classes = classes}).ok());
  ASSERT_TRUE(ReadWeights(path_, into_state_, &read).ok());
  EXPECT_EQ(read.classes, classes);
  ExpectReadEqualsWritten();
  // What Python gets is the same dict.
  const base::TensorMap dict = *base::ReadTensorFile(path_);
  ASSERT_EQ(dict.size(), plain.size());
  for (const auto& [name, tensor] : plain) EXPECT_TRUE(at::equal(dict.at(name), tensor)) << name;

  ASSERT_TRUE(base::WriteTensorFile(path_, dict, {{"classes.json", "[1, 2]"}}).ok());
  EXPECT_EQ(ReadError(), path_ + ": the names of the classes are no list of strings");
}

TEST_F(WeightFileTest, WhatDoesNotFitIsListed) {
  ASSERT_TRUE(WriteWeights(path_, from_state_, PublishedStyle::kPcDarts).ok());
  Rewrite([](const std::string& name, const at::Tensor& tensor, base::TensorMap& after) {
    if (name == "classifier.bias") {
      after.emplace("classifier.bias2", tensor);
    } else if (name == "stem.0.weight") {
      after.emplace(name, at::zeros({1, 2}));
    } else {
      after.emplace(name, tensor);
    }
  });
  const at::Tensor before = into_state_.at("cells.0.preprocess0.conv.conv.weight").clone();
  EXPECT_EQ(ReadError(), absl::StrCat(path_,
                                      ": 1 tensors are missing (classifier.bias); 1 are unexpected "
                                      "(classifier.bias2); 1 have another shape (stem.0.weight [1, "
                                      "2] instead of [12, 3, 3, 3])"));
  EXPECT_TRUE(at::equal(before, into_state_.at("cells.0.preprocess0.conv.conv.weight")));
  ASSERT_TRUE(base::WriteTensorFile(path_, {{"w", at::zeros({1})}}).ok());
  EXPECT_THAT(ReadError(), HasSubstr(", ...); 1 are unexpected (w)"));
}

std::shared_ptr<DerivedNetwork> MakeFixedNetwork(const std::string& name, int64_t classes) {
  return DerivedNetwork::Create(FixedArchitecture(name, 64, classes, {2, 2}).value()).value();
}

TEST_F(WeightFileTest, FixedNetworksRoundTripUnderTheNamesOfTheirAuthors) {
  for (const std::string name : {"edmips_googlenet", "googlenet"}) {
    const auto from = MakeFixedNetwork(name, 3), into = MakeFixedNetwork(name, 3);
    const base::TensorMap expected = base::ModuleState(*from), state = base::ModuleState(*into);
    const PublishedStyle own = StyleOf(from->architecture());
    const bool edmips = own == PublishedStyle::kEdmips;
    EXPECT_EQ(edmips, name == "edmips_googlenet");
    for (const PublishedStyle style : {own, edmips ? PublishedStyle::kEdmipsSearch : own}) {
      ASSERT_TRUE(WriteWeights(path_, expected, style).ok());
      const base::TensorMap file = *base::ReadTensorFile(path_);
      EXPECT_EQ(file.contains("conv1.conv.weight"), !edmips);
      EXPECT_EQ(file.contains("conv2.conv.weight"), !edmips);
      EXPECT_EQ(file.contains("conv2.conv.conv.weight"), style == PublishedStyle::kEdmips);
      EXPECT_EQ(file.contains("conv2.conv.mix_weight.conv.weight"),
                style == PublishedStyle::kEdmipsSearch);
      EXPECT_EQ(file.contains("conv2.conv.size_product"), edmips);
      // As torchvision's files have them; our network has no such heads.
      if (!edmips) {
        Rewrite(
            [](const std::string& tensor_name, const at::Tensor& tensor, base::TensorMap& after) {
              after.emplace(tensor_name, tensor);
              after.emplace("aux1.fc2.bias", at::zeros({3}));
            });
      }
      const absl::Status status = ReadWeights(path_, state);
      ASSERT_TRUE(status.ok()) << name << ": " << status;
      for (const auto& [tensor_name, tensor] : state) {
        EXPECT_TRUE(at::equal(tensor, expected.at(tensor_name))) << name << " " << tensor_name;
      }
    }
  }
}

TEST_F(WeightFileTest, TheClassifierOfOtherClassesMayBeKept) {
  const auto from = MakeFixedNetwork("resnet18", 3),
             into = MakeFixedNetwork("resnet18", 2);
  ASSERT_TRUE(WriteWeights(path_, base::ModuleState(*from), PublishedStyle::kTorchvision).ok());
  const base::TensorMap state = base::ModuleState(*into);
  const at::Tensor classifier = state.at("fc.weight").clone();
  EXPECT_EQ(ReadWeights(path_, state).message(),
            absl::StrCat(path_,
                         ": 2 have another shape (fc.bias [3] instead of [2], fc.weight [3, "
                         "512] instead of [2, 512])"));
  const absl::Status status = ReadWeights(path_, state, /*companions=*/nullptr, "fc.");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(at::equal(state.at("fc.weight"), classifier));
  EXPECT_TRUE(
      at::equal(state.at("conv1.conv.weight"), base::ModuleState(*from).at("conv1.conv.weight")));
}

}  // namespace
}  // namespace nas
