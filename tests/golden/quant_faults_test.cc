// Faults planted in package quant, or in the vectors it is checked with, are each caught.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/ops/floor.h"
#include "ATen/ops/ones.h"
#include "gtest/gtest.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"
#include "quant/quantizers.h"
#include "tests/golden/committed_vectors.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/registry.h"
#include "tests/golden/groups/quant_groups.h"

namespace golden {
namespace {

using quant::EightBit;
using quant::Role;

// Positions of a lattice's fields in the tensor that holds it.
enum LatticeField { kStep, kOffset, kLow, kHigh, kPassLow, kPassHigh };

bool Passes(const GoldenFile& file, const QuantUnderTest& quant) {
  return CheckFile(file, QuantGroups(quant)).passed();
}

// Production, with a change to the lattices it uses.
template <typename Change>
QuantUnderTest WithLattices(const Change& change) {
  QuantUnderTest quant = Production();
  quant.quantize = [change](const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit) {
    at::Tensor lattices = quant::MakeLattices(x, {bits}, role, eight_bit);
    change(x, bits, role, lattices);
    return quant::MixedQuantize(x, at::ones({1}, x.scalar_type()), lattices,
                                quant::LatticeDim(role, eight_bit));
  };
  return quant;
}

TEST(QuantFaultsTest, WithoutFaultsAllPasses) {
  const auto nothing = [](const at::Tensor&, int64_t, Role, const at::Tensor&) {};
  EXPECT_TRUE(Passes(CommittedFile("quantizers.pt"), WithLattices(nothing)));
  EXPECT_TRUE(Passes(CommittedFile("mixconv_b248_1.pt"), Production()));
}

TEST(QuantFaultsTest, BiasedStd) {
  const QuantUnderTest biased =
      WithLattices([](const at::Tensor& x, int64_t bits, Role role, const at::Tensor& lattices) {
        if (role != Role::kWeight || bits >= 8) return;
        const double n = x.numel();
        for (const int64_t field : {kStep, kLow, kHigh}) {
          lattices.select(2, field).mul_(std::sqrt((n - 1) / n));
        }
      });
  EXPECT_FALSE(Passes(CommittedFile("quantizers.pt"), biased));
}

TEST(QuantFaultsTest, FloorForRound) {
  QuantUnderTest floored = Production();
  floored.quantize = [](const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit) {
    const at::Tensor y = Production().quantize(x, bits, role, eight_bit);
    if (bits >= 8) return y;
    const at::Tensor l = quant::MakeLattices(x, {bits}, role, eight_bit).flatten();
    const at::Tensor level =
        (at::floor(x.detach() / l[kStep] + l[kOffset]) - l[kOffset]) * l[kStep];
    return y + (level.clamp(l[kLow], l[kHigh]) - y).detach();
  };
  EXPECT_FALSE(Passes(CommittedFile("quantizers.pt"), floored));
}

TEST(QuantFaultsTest, HalfAwayFromZero) {
  QuantUnderTest away = Production();
  away.quantize = [](const at::Tensor& x, int64_t bits, Role role, EightBit eight_bit) {
    const at::Tensor y = Production().quantize(x, bits, role, eight_bit);
    if (bits < 8 || x.dim() != 4) return y;
    const at::Tensor l = quant::MakeLattices(x, {bits}, role, eight_bit);
    const auto field = [&l](int64_t f) { return l.select(2, f).reshape({1, -1, 1, 1}); };
    const at::Tensor v = x.detach() / field(kStep) + field(kOffset);
    const at::Tensor level = (at::floor(v.abs() + 0.5) * v.sign() - field(kOffset)) * field(kStep);
    return y + (level.clamp(field(kLow), field(kHigh)) - y).detach();
  };
  EXPECT_FALSE(Passes(CommittedFile("quantizers.pt"), away));
}

TEST(QuantFaultsTest, GradientThroughTheClamp) {
  const QuantUnderTest unmasked =
      WithLattices([](const at::Tensor&, int64_t, Role, const at::Tensor& lattices) {
        lattices.select(2, kPassLow).fill_(-std::numeric_limits<float>::infinity());
        lattices.select(2, kPassHigh).fill_(std::numeric_limits<float>::infinity());
      });
  EXPECT_FALSE(Passes(CommittedFile("quantizers.pt"), unmasked));
}

TEST(QuantFaultsTest, SwappedGammaRows) {
  GoldenFile file = CommittedFile("mixconv_b248_1.pt");
  std::swap(file.tensors["gamma/act"], file.tensors["gamma/wt"]);
  EXPECT_FALSE(Passes(file, Production()));
}

TEST(QuantFaultsTest, GroupsInThePublishedCost) {
  QuantUnderTest divided = Production();
  divided.published_cost_model = quant::CostModel::kExact;
  EXPECT_FALSE(Passes(CommittedFile("mixconv_b248_1.pt"), divided));
}

}  // namespace
}  // namespace golden
