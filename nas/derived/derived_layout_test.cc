#include "nas/derived/derived_layout.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/space/published_genotypes.h"

namespace nas {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DerivedLayout Layout(const char* genotype, const NetworkShape& shape) {
  return MakeDerivedLayout(*PublishedGenotype(genotype), shape).value();
}

std::string Error(const NetworkShape& shape) { return std::string(shape.Check().message()); }

// The published check figures of PC-DARTS.
TEST(DerivedLayoutTest, CountsTheParametersOfPcDarts) {
  NetworkShape cifar{.auxiliary = true};
  EXPECT_EQ(Layout("PC_DARTS_cifar", cifar).num_parameters, 3'634'678);
  EXPECT_EQ(Layout("PC_DARTS_cifar", cifar).num_auxiliary_parameters, 4'111'104 - 3'634'678);
  const NetworkShape imagenet{.images = ImageKind::kImageNet,
                              .image_side = 224,
                              .channels = 48,
                              .layers = 14,
                              .classes = 1000};
  EXPECT_EQ(Layout("PC_DARTS_image", imagenet).num_parameters, 5'342'464);
  EXPECT_EQ(Layout("PC_DARTS_image", imagenet).num_auxiliary_parameters, 0);
}

TEST(DerivedLayoutTest, NamesOperationsAndConvolutionsAsTheyRun) {
  const DerivedLayout layout = Layout("DARTS_V2", {.channels = 4, .layers = 3});
  std::vector<std::string> names;
  for (size_t i = 0; i < 5; ++i) names.push_back(layout.operations[i].name);
  EXPECT_THAT(names, ElementsAre("cells.0.preprocess0", "cells.0.preprocess1", "cells.0._ops.0",
                                 "cells.0._ops.1", "cells.0._ops.2"));
  EXPECT_EQ(layout.operations.size(), 3 * (2 + 8));
  EXPECT_EQ(layout.convs[2].name, "cells.0._ops.0.conv1");
  EXPECT_EQ(layout.operations[*layout.convs[2].operation].name, "cells.0._ops.0");
  EXPECT_EQ(layout.float_convs[0].name, "stem.0");
  EXPECT_EQ(layout.float_convs.back().name, "classifier");
}

TEST(DerivedLayoutTest, ConvolutionsKnowWhatTheyRead) {
  const auto read_by = [](const DerivedLayout& layout, const std::string& name) {
    const auto conv = std::find_if(layout.convs.begin(), layout.convs.end(),
                                   [&](const ConvSite& site) { return site.name == name; });
    return conv == layout.convs.end() ? "no such convolution" : conv->tensor;
  };
  const DerivedLayout layout = Layout("DARTS_V2", {.channels = 4, .layers = 3});
  EXPECT_EQ(read_by(layout, "cells.0.preprocess0.conv"), "stem");
  EXPECT_EQ(read_by(layout, "cells.0.preprocess1.conv"), "stem");
  EXPECT_EQ(read_by(layout, "cells.1.preprocess0.conv"), "stem");
  EXPECT_EQ(read_by(layout, "cells.1.preprocess1.conv"), "cells.0");
  EXPECT_EQ(read_by(layout, "cells.2.preprocess0.conv_1"), "cells.0");
  EXPECT_EQ(read_by(layout, "cells.2.preprocess0.conv_2"), "cells.0");
  EXPECT_EQ(read_by(layout, "cells.0._ops.0.conv1"), "cells.0.states.0");
  EXPECT_EQ(read_by(layout, "cells.0._ops.0.conv2"), "cells.0._ops.0.conv2");
  NetworkShape imagenet = {.images = ImageKind::kImageNet, .image_side = 224, .channels = 48};
  imagenet.layers = 14;
  EXPECT_EQ(read_by(Layout("PC_DARTS_image", imagenet), "cells.0.preprocess0.conv_1"), "stem0");
  EXPECT_EQ(read_by(Layout("PC_DARTS_image", imagenet), "cells.1.preprocess0.conv"), "stem1");
}

TEST(DerivedLayoutTest, ReductionsHalveAndFactorizedReducesShift) {
  const DerivedLayout layout = Layout("DARTS_V2", {.channels = 4, .layers = 3});
  ASSERT_TRUE(layout.cells[1].reduction && layout.cells[2].reduction);
  EXPECT_EQ(layout.cells[2].input1_side, 16);
  EXPECT_EQ(layout.cells[2].channels, 16);
  EXPECT_EQ(layout.cells[2].input0_channels, 16);
  EXPECT_EQ(layout.cells[2].input1_channels, 32);
  const auto conv_2 =
      std::find_if(layout.convs.begin(), layout.convs.end(),
                   [](const ConvSite& conv) { return conv.name == "cells.2.preprocess0.conv_2"; });
  ASSERT_NE(conv_2, layout.convs.end());
  EXPECT_EQ(conv_2->shape.in_h, 31);
  EXPECT_EQ(conv_2->shape.out_h, 16);
}

TEST(DerivedLayoutTest, ImpossibleShapesNameTheAllowedValues) {
  EXPECT_EQ(Error({.channels = 0}), "channels: is 0; expected 1..65536");
  EXPECT_EQ(Error({.layers = 1001}), "layers: is 1001; expected 1..1000");
  EXPECT_EQ(Error({.classes = -1}), "classes: is -1; expected 1..1048576");
  EXPECT_EQ(Error({.image_side = 30}), "image_side: is 30; expected a multiple of 4 for layers 20");
  EXPECT_EQ(Error({.image_side = 64, .auxiliary = true}),
            "image_side: is 64; expected 32..40 with an auxiliary head");
  EXPECT_EQ(Error({.images = ImageKind::kImageNet, .image_side = 224, .channels = 7}),
            "channels: is 7; expected an even number for imagenet");
  Genotype broken = *PublishedGenotype("DARTS_V2");
  broken.reduce.edges.pop_back();
  EXPECT_THAT(std::string(MakeDerivedLayout(broken, {}).status().message()),
              HasSubstr("reduce: has 7 operations"));
}

}  // namespace
}  // namespace nas
