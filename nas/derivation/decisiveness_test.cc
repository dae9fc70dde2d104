#include "nas/derivation/decisiveness.h"

#include <cmath>
#include <utility>

#include "ATen/ops/ones.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "torch/utils.h"

namespace nas {
namespace {

using ::testing::HasSubstr;

Decisiveness OfWeights(const at::Tensor& start, const at::Tensor& now) {
  const auto result = MeasureDecisiveness({{"gamma_weight_celln_preprocess0", start}},
                                          {{"gamma_weight_celln_preprocess0", now}});
  EXPECT_TRUE(result.ok()) << result.status();
  return result->at("weight_bits");
}

TEST(DecisivenessTest, AMovementBeyondTheDrawDecides) {
  const at::Tensor start = at::tensor({0.1, 0.0, 0.0, 0.1}).view({2, 2});
  // The first row keeps the draw's choice, but by little; the second would choose alike anyway.
  const at::Tensor now = at::tensor({0.15, 0.0, 0.0, 0.5}).view({2, 2});
  const Decisiveness of = OfWeights(start, now);
  EXPECT_EQ(of.rows, 2);
  EXPECT_EQ(of.decided, 1);
  EXPECT_NEAR(of.margin, (0.15 + 0.5) / 2, 1e-6);
  EXPECT_NEAR(of.movement, std::sqrt((0.05 * 0.05 + 0.4 * 0.4) / 4), 1e-6);
  EXPECT_NEAR(of.start, std::sqrt(2 * 0.01 / 4), 1e-6);
  // A choice against the draw is the search's.
  EXPECT_EQ(OfWeights(start, at::tensor({0.0, 0.1, 0.1, 0.0}).view({2, 2})).decided, 2);
}

TEST(DecisivenessTest, WhatDidNotMoveIsNotDecided) {
  const at::Tensor start = at::randn({5, 3});
  EXPECT_EQ(OfWeights(start, start).decided, 0);
  EXPECT_EQ(OfWeights(at::zeros({5, 3}), at::zeros({5, 3})).decided, 0);
  EXPECT_EQ(OfWeights(at::zeros({5, 3}), start).decided, 5);
}

// 4 primitives with convolutions on each of 14 edges; in a reduction cell, moreover, the skips on
// the 8 edges of stride 2.
TEST(DecisivenessTest, OnlyRowsThatAConvolutionReadsCount) {
  for (const auto& [name, rows] :
       {std::pair{"gamma_activ_celln", 14 * 4}, {"gamma_activ_cellr", 14 * 4 + 8}}) {
    const at::Tensor start = at::zeros({3, 14, 6, 2});
    const auto result = MeasureDecisiveness({{name, start}}, {{name, at::randn_like(start)}});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->at("activation_bits").rows, 3 * rows);
    EXPECT_EQ(result->at("activation_bits").decided, 3 * rows);
  }
}

TEST(DecisivenessTest, OfAWholeSearch) {
  torch::manual_seed(1);
  base::TensorMap start;
  for (const char* cell : {"normal", "reduce"}) {
    start[std::string("alphas_") + cell] = at::randn({14, 8}) * 1e-3;
    start[std::string("betas_") + cell] = at::randn({14}) * 1e-3;
  }
  base::TensorMap now = start, moved;
  for (const auto& [name, tensor] : start) moved[name] = tensor + at::randn_like(tensor);
  const auto undecided = MeasureDecisiveness(start, now);
  ASSERT_TRUE(undecided.ok()) << undecided.status();
  EXPECT_EQ(undecided->at("operations").rows, 28);
  EXPECT_EQ(undecided->at("operations").decided, 0);
  EXPECT_EQ(undecided->at("edges").rows, 16);
  EXPECT_LT(undecided->at("edges").decided, 8);
  const auto decided = MeasureDecisiveness(start, moved);
  EXPECT_GT(decided->at("operations").decided, 24);
  EXPECT_GT(decided->at("edges").decided, 12);
  EXPECT_THAT(DecisivenessText(*decided), HasSubstr("edges "));
  EXPECT_EQ(ToJson(*decided)["operations"]["rows"], 28);

  moved.erase("betas_normal");
  moved["gamma_activ_celln"] = at::ones({1, 14, 6, 2});
  const absl::Status missing = MeasureDecisiveness(start, moved).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("gamma_activ_celln"));
}

}  // namespace
}  // namespace nas
