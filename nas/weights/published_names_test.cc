#include "nas/weights/published_names.h"

#include <map>
#include <set>
#include <string>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "base/tensor_file.h"
#include "gtest/gtest.h"

namespace nas {
namespace {

base::TensorMap State() {
  base::TensorMap state;
  const auto add = [&state](const std::string& name, at::IntArrayRef shape) {
    state.emplace(name, at::zeros(shape));
  };
  add("stem.0.conv.weight", {12, 3, 3, 3});
  add("cells.0.preprocess0.conv.conv.weight", {4, 12, 1, 1});
  add("cells.0.preprocess0.bn.weight", {4});
  for (const char* conv : {"conv1", "conv2", "conv3", "conv4"}) {
    add(std::string("cells.0._ops.0.") + conv + ".conv.weight", {4, 1, 3, 3});
  }
  add("cells.0._ops.0.bn1.running_var", {4});
  add("cells.0._ops.0.bn2.bias", {4});
  add("cells.0._ops.10._ops.6.conv1.conv.weight", {4, 1, 3, 3});
  add("cells.0._ops.10._ops.6.conv2.conv.weight", {4, 4, 1, 1});
  add("cells.0._ops.10._ops.6.bn.running_mean", {4});
  add("cells.0._ops.10._ops.1.1.running_mean", {4});
  add("cells.1.preprocess0.conv_1.conv.weight", {4, 8, 1, 1});
  add("cells.1.preprocess0.bn.weight", {8});
  add("cells.1._ops.3.conv1.conv.weight", {8, 8, 1, 7});
  add("cells.1._ops.3.conv2.conv.weight", {8, 8, 7, 1});
  add("cells.1._ops.3.bn.weight", {8});
  add("auxiliary_head.features.2.conv.weight", {128, 32, 1, 1});
  add("classifier.bias", {10});
  return state;
}

TEST(PublishedNamesTest, PcDartsNumbersTheChildrenOfOperations) {
  const auto names = PublishedNames(State(), PublishedStyle::kPcDarts);
  const std::map<std::string, std::string> expected = {
      {"stem.0.conv.weight", "stem.0.weight"},
      {"cells.0.preprocess0.conv.conv.weight", "cells.0.preprocess0.op.1.weight"},
      {"cells.0.preprocess0.bn.weight", "cells.0.preprocess0.op.2.weight"},
      {"cells.0._ops.0.conv1.conv.weight", "cells.0._ops.0.op.1.weight"},
      {"cells.0._ops.0.conv2.conv.weight", "cells.0._ops.0.op.2.weight"},
      {"cells.0._ops.0.conv3.conv.weight", "cells.0._ops.0.op.5.weight"},
      {"cells.0._ops.0.conv4.conv.weight", "cells.0._ops.0.op.6.weight"},
      {"cells.0._ops.0.bn1.running_var", "cells.0._ops.0.op.3.running_var"},
      {"cells.0._ops.0.bn2.bias", "cells.0._ops.0.op.7.bias"},
      {"cells.0._ops.10._ops.6.conv1.conv.weight", "cells.0._ops.10._ops.6.op.1.weight"},
      {"cells.0._ops.10._ops.6.conv2.conv.weight", "cells.0._ops.10._ops.6.op.2.weight"},
      {"cells.0._ops.10._ops.6.bn.running_mean", "cells.0._ops.10._ops.6.op.3.running_mean"},
      {"cells.0._ops.10._ops.1.1.running_mean", "cells.0._ops.10._ops.1.1.running_mean"},
      {"cells.1.preprocess0.conv_1.conv.weight", "cells.1.preprocess0.conv_1.weight"},
      {"cells.1.preprocess0.bn.weight", "cells.1.preprocess0.bn.weight"},
      {"cells.1._ops.3.conv1.conv.weight", "cells.1._ops.3.1.weight"},
      {"cells.1._ops.3.conv2.conv.weight", "cells.1._ops.3.2.weight"},
      {"cells.1._ops.3.bn.weight", "cells.1._ops.3.3.weight"},
      {"auxiliary_head.features.2.conv.weight", "auxiliary_head.features.2.weight"},
      {"classifier.bias", "classifier.bias"},
  };
  EXPECT_EQ(names, expected);
}

TEST(PublishedNamesTest, TheQdartsSupernetMixesWeights) {
  const auto names = PublishedNames(State(), PublishedStyle::kQdartsSupernet);
  EXPECT_EQ(names.at("cells.0._ops.10._ops.6.conv1.conv.weight"),
            "cells.0._ops.10._ops.6.conv1.mix_weight.conv.weight");
  EXPECT_EQ(names.at("cells.0.preprocess0.conv.conv.weight"),
            "cells.0.preprocess0.conv.mix_weight.conv.weight");
  EXPECT_EQ(names.at("cells.0._ops.10._ops.6.bn.running_mean"),
            "cells.0._ops.10._ops.6.bn.running_mean");
  EXPECT_EQ(names.at("stem.0.conv.weight"), "stem.0.weight");
}

TEST(PublishedNamesTest, QdartsKeepsTheOutsideInFloat) {
  const char kHead[] = "auxiliary_head.features.2.conv.weight";
  base::TensorMap state = State();
  auto names = PublishedNames(state, PublishedStyle::kQdartsDerived);
  EXPECT_EQ(names.at("stem.0.conv.weight"), "stem.0.weight");
  EXPECT_EQ(names.at(kHead), "auxiliary_head.features.2.weight");
  EXPECT_EQ(names.at("cells.0._ops.0.conv1.conv.weight"), "cells.0._ops.0.conv1.conv.weight");
  state.emplace("stem0.0.conv.weight", at::zeros({2, 3, 3, 3}));
  names = PublishedNames(state, PublishedStyle::kQdartsDerived);
  EXPECT_EQ(names.at("stem0.0.conv.weight"), "stem0.0.weight");
  EXPECT_EQ(names.at(kHead), kHead);
}

TEST(PublishedNamesTest, FbqatAndQSubNetQuantizeEveryConvolution) {
  const auto fbqat = PublishedNames(State(), PublishedStyle::kFbqat);
  EXPECT_EQ(fbqat.at("stem.0.conv.weight"), "stem.0.conv.weight");
  EXPECT_EQ(fbqat.at("cells.0._ops.0.conv3.conv.weight"), "cells.0._ops.0.op.5.conv.weight");
  const auto qsubnet = PublishedNames(State(), PublishedStyle::kQSubNet);
  EXPECT_EQ(qsubnet.at("stem.0.conv.weight"), "stem.0.mix_weight.conv.weight");
  EXPECT_EQ(qsubnet.at("cells.0._ops.0.bn1.running_var"), "cells.0._ops.0.op.3.running_var");
}

TEST(PublishedNamesTest, NoTwoNamesCoincide) {
  for (const auto style :
       {PublishedStyle::kQdartsDerived, PublishedStyle::kQdartsSupernet, PublishedStyle::kPcDarts,
        PublishedStyle::kFbqat, PublishedStyle::kQSubNet}) {
    std::set<std::string> published;
    for (const auto& [name, image] : PublishedNames(State(), style)) published.insert(image);
    EXPECT_EQ(published.size(), State().size());
  }
}

TEST(PublishedNamesTest, QuantizedConvolutionsHaveExtraBuffers) {
  const auto buffers = PublishedExtraBuffers(State(), PublishedStyle::kQdartsDerived);
  EXPECT_EQ(buffers.size(), 2 * 10);
  for (const std::string& name : buffers) EXPECT_TRUE(IsPublishedExtraBuffer(name)) << name;
  EXPECT_EQ(buffers[0], "cells.0._ops.0.conv1.size_product");
  EXPECT_TRUE(PublishedExtraBuffers(State(), PublishedStyle::kPcDarts).empty());
}

}  // namespace
}  // namespace nas
