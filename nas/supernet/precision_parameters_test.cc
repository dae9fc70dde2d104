#include "nas/supernet/precision_parameters.h"

#include <map>
#include <string>
#include <vector>

#include "ATen/ops/equal.h"
#include "ATen/ops/randn_like.h"
#include "c10/core/GradMode.h"
#include "gtest/gtest.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

PrecisionParameters Random() {
  PrecisionParameters gammas(CellCount::OfLayers(8), std::vector<int64_t>{2, 4, 8});
  c10::NoGradGuard no_grad;
  for (at::Tensor& gamma : gammas->parameters()) gamma.copy_(at::randn_like(gamma));
  return gammas;
}

TEST(PrecisionParametersTest, NamesAndShapesAreThePublishedOnes) {
  const PrecisionParameters gammas(CellCount::OfLayers(8), std::vector<int64_t>{2, 4});
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& gamma : gammas->named_parameters()) shapes[gamma.key()] = gamma->sizes().vec();
  std::map<std::string, std::vector<int64_t>> expected;
  for (const std::string role : {"activ", "weight"}) {
    expected["gamma_" + role + "_celln_preprocess0"] = {6, 2};
    expected["gamma_" + role + "_celln_preprocess1"] = {6, 2};
    expected["gamma_" + role + "_celln"] = {6, 14, 6, 2};
    expected["gamma_" + role + "_cellr_preprocess0"] = {2, 2};
    expected["gamma_" + role + "_cellr_preprocess1"] = {2, 2};
    expected["gamma_" + role + "_cellr"] = {2, 14, 6, 2};
  }
  EXPECT_EQ(shapes, expected);
}

TEST(PrecisionParametersTest, EveryCellGetsItsOwnSlices) {
  const PrecisionParameters gammas = Random();
  const auto named = gammas->named_parameters();
  const std::vector<quant::Precision> rows = gammas->Rows(gammas->Softmax());
  EXPECT_EQ(rows.size(), 8 * (2 + kCellEdges * kNumGammaRows));
  for (const bool reduction : {false, true}) {
    const std::string cell_name = reduction ? "cellr" : "celln";
    for (int cell = 0; cell < (reduction ? 2 : 6); ++cell) {
      const CellPrecision precision = gammas->OfCell(rows, reduction, cell);
      const auto expect = [&](const quant::Precision& actual, const std::string& part,
                              const std::vector<int64_t>& place) {
        at::Tensor activation = named["gamma_activ_" + cell_name + part];
        at::Tensor weight = named["gamma_weight_" + cell_name + part];
        for (const int64_t index : place) {
          activation = activation.select(0, index);
          weight = weight.select(0, index);
        }
        EXPECT_TRUE(actual.activation_probs.allclose(activation.softmax(0)));
        EXPECT_TRUE(actual.weight_probs.allclose(weight.softmax(0)));
      };
      expect(precision.preprocess[0], "_preprocess0", {cell});
      expect(precision.preprocess[1], "_preprocess1", {cell});
      for (int edge = 0; edge < kCellEdges; ++edge) {
        for (int row = 0; row < kNumGammaRows; ++row) {
          expect(precision.edges[edge][row], "", {cell, edge, row});
        }
      }
    }
  }
}

TEST(PrecisionParametersTest, ASingleCandidateHasNothingToLearn) {
  const PrecisionParameters gammas(CellCount::OfLayers(8), std::vector<int64_t>{32});
  EXPECT_TRUE(gammas->parameters().empty());
  const std::vector<quant::Precision> rows = gammas->Rows(gammas->Softmax());
  EXPECT_EQ(rows.front().weight_bits, std::vector<int64_t>{32});
  EXPECT_FALSE(rows.front().weight_probs.defined());
}

TEST(PrecisionParametersTest, CellsAreCountedByKind) {
  for (const auto& [layers, reduction] : std::map<int, int>{{1, 1}, {2, 2}, {3, 2}, {8, 2}}) {
    const CellCount count = CellCount::OfLayers(layers);
    EXPECT_EQ(count.reduction, reduction) << layers;
    EXPECT_EQ(count.normal + count.reduction, layers);
  }
}

}  // namespace
}  // namespace nas
