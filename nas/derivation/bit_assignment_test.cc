#include "nas/derivation/bit_assignment.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/tensor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/cell_topology.h"
#include "nas/space/genotype.h"
#include "nas/space/primitives.h"
#include "nas/space/published_genotypes.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

// Every row chooses candidate 0, but for the rows set.
class BitAssignmentTest : public ::testing::Test {
 protected:
  BitAssignmentTest() { Resize(6, 2); }

  void Resize(int64_t normal_cells, int64_t reduction_cells) {
    for (const char* role : {"gamma_activ", "gamma_weight"}) {
      for (const bool reduction : {false, true}) {
        const int64_t cells = reduction ? reduction_cells : normal_cells;
        const std::string name = absl::StrCat(role, reduction ? "_cellr" : "_celln");
        gammas_[name] = at::zeros({cells, kCellEdges, kNumGammaRows, 2});
        gammas_[name + "_preprocess0"] = at::zeros({cells, 2});
        gammas_[name + "_preprocess1"] = at::zeros({cells, 2});
      }
    }
  }

  absl::StatusOr<std::vector<ConvBits>> Assign(const char* genotype, int layers,
                                               const BitAssignmentOptions& options = {}) {
    layout_ =
        MakeDerivedLayout(*PublishedGenotype(genotype), {.channels = 4, .layers = layers}).value();
    return AssignBits(GammaChoices::FromTensors(gammas_).value(), layout_, options);
  }

  // The activation bits of preprocess0 of each normal cell.
  std::vector<int64_t> NormalPreprocess0(const std::vector<ConvBits>& bits) const {
    std::vector<int64_t> result;
    for (size_t i = 0; i < bits.size(); ++i) {
      const OperationSite& operation = layout_.operations[*layout_.convs[i].operation];
      const bool first_conv =
          i == 0 || layout_.convs[i - 1].operation != layout_.convs[i].operation;
      if (!operation.edge && operation.position == 0 && first_conv &&
          !layout_.cells[operation.cell].reduction) {
        result.push_back(bits[i].activation);
      }
    }
    return result;
  }

  base::TensorMap gammas_;
  DerivedLayout layout_;
};

TEST_F(BitAssignmentTest, AnEdgeTakesTheRowOfItsPredecessorAndPrimitive) {
  // DARTS_V2's normal edge 7 is dil_conv_3x3 from state 2 into node 3: edge 9 + 2, row 2.
  gammas_["gamma_activ_celln"][0][11][2][1] = 1;
  const auto bits = Assign("DARTS_V2", 5);
  ASSERT_TRUE(bits.ok()) << bits.status();
  for (size_t i = 0; i < bits->size(); ++i) {
    const bool chosen = layout_.convs[i].name.find("cells.0._ops.7.") == 0;
    EXPECT_EQ((*bits)[i], (ConvBits{chosen ? 4 : 2, 2})) << layout_.convs[i].name;
  }
}

TEST_F(BitAssignmentTest, PublishedRuleReturnsToRow0BehindCell6) {
  for (const int row : {0, 3, 5}) gammas_["gamma_activ_celln_preprocess0"][row][1] = 1;
  // Of 14 layers, 4 and 9 reduce: normal cells 0-3, 5, 6 take rows 0-5.
  const auto bits = Assign("DARTS_V2", 14);
  ASSERT_TRUE(bits.ok()) << bits.status();
  EXPECT_EQ(NormalPreprocess0(*bits), (std::vector<int64_t>{4, 2, 2, 4, 2, 4, 4, 4, 4, 4, 4, 4}));
}

TEST_F(BitAssignmentTest, ProportionalRuleStretchesTheRows) {
  for (const int row : {0, 3, 5}) gammas_["gamma_activ_celln_preprocess0"][row][1] = 1;
  const auto bits = Assign("DARTS_V2", 14, {.rule = DepthRule::kProportional});
  ASSERT_TRUE(bits.ok()) << bits.status();
  EXPECT_EQ(NormalPreprocess0(*bits), (std::vector<int64_t>{4, 4, 2, 2, 2, 2, 4, 4, 2, 2, 4, 4}));
}

TEST_F(BitAssignmentTest, OfTheSearchedDepthProportionalIsTheIdentity) {
  for (const int row : {1, 5}) gammas_["gamma_activ_celln_preprocess0"][row][1] = 1;
  const auto bits = Assign("DARTS_V2", 8, {.rule = DepthRule::kProportional});
  ASSERT_TRUE(bits.ok()) << bits.status();
  EXPECT_EQ(NormalPreprocess0(*bits), (std::vector<int64_t>{2, 4, 2, 2, 2, 4}));
}

TEST_F(BitAssignmentTest, OperationsWithoutGammasTakeTheDefault) {
  const auto count = [this](const std::vector<ConvBits>& bits, const ConvBits& wanted) {
    int count = 0;
    for (size_t i = 0; i < bits.size(); ++i) {
      const auto& edge = layout_.operations[*layout_.convs[i].operation].edge;
      const bool no_gamma = edge && (edge->primitive == Primitive::kSepConv7x7 ||
                                     edge->primitive == Primitive::kConv7x1_1x7 ||
                                     layout_.operations[*layout_.convs[i].operation].position >= 8);
      EXPECT_EQ(bits[i], no_gamma ? wanted : (ConvBits{2, 2})) << layout_.convs[i].name;
      count += no_gamma;
    }
    return count;
  };
  auto bits = Assign("AmoebaNet", 3);
  ASSERT_TRUE(bits.ok()) << bits.status();
  // Two reductions of 2 sep_conv_7x7, a conv_7x1_1x7 and a sep_conv_3x3 into node 4.
  EXPECT_EQ(count(*bits, {4, 4}), 2 * (4 + 4 + 2 + 4));
  bits = Assign("AmoebaNet", 3, {.default_bits = ConvBits{8, 3}});
  ASSERT_TRUE(bits.ok()) << bits.status();
  count(*bits, {8, 3});
}

TEST_F(BitAssignmentTest, WhatDoesNotFitIsAnError) {
  EXPECT_EQ(Assign("DARTS_V2", 8, {.candidates = {2, 4, 8}}).status().message(),
            "bits: are 3 candidates; the gammas choose among 2");
  EXPECT_THAT(std::string(Assign("DARTS_V2", 8, {.candidates = {2, 9}}).status().message()),
              HasSubstr("bits: has 9"));
  Resize(3, 1);
  EXPECT_THAT(std::string(Assign("DARTS_V2", 8).status().message()),
              HasSubstr("cells.4: the published rule takes its bits from normal cell 3"));
  EXPECT_TRUE(Assign("DARTS_V2", 8, {.rule = DepthRule::kProportional}).ok());
  EXPECT_FALSE(ParseDepthRule("deep").ok());
}

}  // namespace
}  // namespace nas
