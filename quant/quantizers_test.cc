#include "quant/quantizers.h"

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/ops/allclose.h"
#include "ATen/ops/clamp.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/ones_like.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "base/multiversion.h"
#include "gtest/gtest.h"
#include "quant/separate_branches.h"

namespace quant {
namespace {

using Bits = std::vector<int64_t>;

struct Result {
  at::Tensor y, grad_x, grad_probs;
};

// mix(x, probs) and the gradients of Σ y·grad_y.
template <typename Mixture>
Result Differentiate(const at::Tensor& x_value, const at::Tensor& probs_value,
                     const at::Tensor& grad_y, const Mixture& mix) {
  const at::Tensor x = x_value.detach().clone().set_requires_grad(true);
  const at::Tensor probs = probs_value.detach().clone().set_requires_grad(true);
  const at::Tensor y = mix(x, probs);
  (y * grad_y).sum().backward();
  return {y.detach(), x.grad(), probs.grad()};
}

struct Mixture {
  Bits bits;
  Role role;
  EightBit eight_bit;
  bool negatives;
};

std::vector<Mixture> AllMixtures() {
  std::vector<Mixture> mixtures;
  for (const Bits& bits :
       {Bits{1}, Bits{3}, Bits{8}, Bits{2, 4}, Bits{2, 4, 8}, Bits{8, 1}, Bits{1, 2, 3, 4, 8, 32},
        Bits{32, 2}, Bits{5}, Bits{6}, Bits{7}, Bits{4, 5, 6, 7, 8}}) {
    for (const Role role : {Role::kActivation, Role::kWeight}) {
      for (const EightBit eight_bit : kEightBits) {
        for (const bool negatives : {false, true}) {
          mixtures.push_back({bits, role, eight_bit, negatives});
        }
      }
    }
  }
  return mixtures;
}

class MixtureTest : public testing::TestWithParam<Mixture> {
 protected:
  void Draw(at::IntArrayRef shape, at::ScalarType type) {
    at::Generator generator = at::detail::createCPUGenerator(7);
    x_ = at::randn(shape, generator, type);
    if (!GetParam().negatives) x_ = at::relu(x_);
    const int64_t candidates = GetParam().bits.size();
    probs_ = at::softmax(at::randn({candidates}, generator, type), 0);
    grad_y_ = at::randn(x_.sizes(), generator, type);
  }

  Result Fused() const {
    const Mixture& m = GetParam();
    return Differentiate(x_, probs_, grad_y_, [&](const at::Tensor& x, const at::Tensor& probs) {
      return MixedQuantize(x, probs, MakeLattices(x, m.bits, m.role, m.eight_bit),
                           LatticeDim(m.role, m.eight_bit));
    });
  }

  Result Separate() const {
    const Mixture& m = GetParam();
    return Differentiate(x_, probs_, grad_y_, [&](const at::Tensor& x, const at::Tensor& probs) {
      return MixSeparately(x, m.bits, probs, m.role, m.eight_bit);
    });
  }

  at::Tensor x_, probs_, grad_y_;
};

TEST_P(MixtureTest, EqualsSeparateBranches) {
  using Shape = std::vector<int64_t>;
  for (const Shape& shape : {Shape{5, 6, 7, 9}, Shape{24, 40, 1, 1}, Shape{24, 1, 3, 3}}) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
      Draw(shape, type);
      const Result fused = Fused();
      const Result separate = Separate();
      const double tolerance = type == at::kFloat ? 1e-6 : 1e-14;
      // To the bit, also where levels are of the weights' deviation in float64: on the fixed path
      // that tests have, at::std and our sums round it to the same number.
      EXPECT_TRUE(at::equal(fused.y, separate.y));
      EXPECT_TRUE(at::allclose(fused.grad_x, separate.grad_x, tolerance, tolerance));
      EXPECT_TRUE(
          at::allclose(fused.grad_probs, separate.grad_probs, 10 * tolerance, 100 * tolerance));
    }
  }
}

// The gradient is that of the surrogate without rounding: p·clamp(x) for HWGQ, p·x for the others.
TEST_P(MixtureTest, GradientsAreThoseOfTheSurrogate) {
  Draw({5, 6, 7, 9}, at::kDouble);
  const Mixture& m = GetParam();
  const Result fused = Fused();
  const double hwgq_steps[] = {0.799, 0.538, 0.3217, 0.185};
  const auto surrogate = [&](const at::Tensor& x) {
    at::Tensor sum = at::zeros(x.sizes(), x.options());
    for (size_t i = 0; i < m.bits.size(); ++i) {
      const int64_t b = m.bits[i];
      const bool hwgq = m.role == Role::kActivation && b < 5;
      sum += probs_[i] * (hwgq ? at::clamp(x, 0.0, hwgq_steps[b - 1] * ((1 << b) - 1)) : x);
    }
    return sum;
  };
  const double h = 1e-6;
  const at::Tensor slope = (surrogate(x_ + h) - surrogate(x_ - h)) / (2 * h);
  const at::Tensor away_from_kinks = (x_ != 0).to(at::kDouble);
  EXPECT_TRUE(
      at::allclose(fused.grad_x * away_from_kinks, grad_y_ * slope * away_from_kinks, 1e-8, 1e-8));

  // In the probabilities the mixture itself is linear.
  const auto loss = [&](const at::Tensor& probs) {
    return (MixedQuantize(x_, probs, MakeLattices(x_, m.bits, m.role, m.eight_bit),
                          LatticeDim(m.role, m.eight_bit)) *
            grad_y_)
        .sum();
  };
  for (size_t i = 0; i < m.bits.size(); ++i) {
    at::Tensor up = probs_.clone();
    at::Tensor down = probs_.clone();
    up[i] += 0.5;
    down[i] -= 0.5;
    EXPECT_NEAR((loss(up) - loss(down)).item<double>(), fused.grad_probs[i].item<double>(), 1e-9);
  }
}

INSTANTIATE_TEST_SUITE_P(All, MixtureTest, testing::ValuesIn(AllMixtures()));

TEST(QuantizersTest, GradientIncludesTheClampsBoundaries) {
  const double top = 0.538 * 3;
  const double below = std::nextafter(0.0, -1.0), above = std::nextafter(top, 2.0);
  const at::Tensor x = at::tensor({below, 0.0, top, above}, at::kDouble).set_requires_grad(true);
  QuantizeActivation(x, 2).sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), at::tensor({0.0, 1.0, 1.0, 0.0}, at::kDouble)));
}

TEST(QuantizersTest, LevelsAreCountedAndFixed) {
  const at::Tensor x = at::linspace(-2, 2, 20001, at::kDouble).pow(3).reshape({1, 1, -1});
  for (const Role role : {Role::kActivation, Role::kWeight}) {
    for (const int64_t bits : {1, 2, 3, 4, 5, 6, 7, 8}) {
      const EightBit eight_bit = EightBit::kSymmetric;
      const at::Tensor lattices = MakeLattices(x, {bits}, role, eight_bit);
      const at::Tensor one = at::ones_like(lattices.flatten().slice(0, 0, 1));
      const at::Tensor y = MixedQuantize(x, one, lattices, LatticeDim(role, eight_bit));
      const double* data = y.const_data_ptr<double>();
      const size_t levels = std::set<double>(data, data + y.numel()).size();
      EXPECT_EQ(levels, bits >= 5 ? (1 << bits) - 1 : 1 << bits) << bits;
      EXPECT_TRUE(at::equal(MixedQuantize(y, one, lattices, LatticeDim(role, eight_bit)), y))
          << bits;
    }
  }
}

TEST(QuantizersTest, RoundsHalfToEven) {
  Lattice<float> lattice;
  lattice.step = 0.5f;
  lattice.low = -10;
  lattice.high = 10;
  EXPECT_EQ(Quantize(lattice, 0.25f), 0.0f);
  EXPECT_EQ(Quantize(lattice, 0.75f), 1.0f);
  EXPECT_EQ(Quantize(lattice, 1.25f), 1.0f);
  EXPECT_EQ(Quantize(lattice, -0.75f), -1.0f);
  EXPECT_EQ(Quantize(lattice, 1e30f), 10.0f);
  EXPECT_TRUE(std::isnan(Quantize(lattice, std::numeric_limits<float>::quiet_NaN())));
}

TEST(QuantizersTest, ConstantChannelsStayFinite) {
  const at::Tensor x = at::zeros({2, 3, 4, 4}, at::kFloat);
  for (const EightBit eight_bit : kEightBits) {
    EXPECT_TRUE(at::allclose(QuantizeActivation(x, 8, eight_bit), x));
    EXPECT_TRUE(at::allclose(QuantizeWeight(x, 8, eight_bit), x));
  }
}

TEST(QuantizersTest, EqualWeightsStayAsTheyAre) {
  const at::Tensor w = at::full({7, 3, 5, 5}, 0.7, at::kFloat);
  EXPECT_TRUE(at::equal(QuantizeWeight(w, 4), w));
}

// The 1e-10 of the published derived networks moves levels by as much; the search's scales are
// bare.
TEST(QuantizersTest, PublishedEightBitScales) {
  at::Tensor x = at::zeros({1, 2, 2, 1}, at::kDouble);
  x.select(1, 0).fill_(255e-6).select(1, 1).fill_(0);
  const auto scale = [&x](int64_t channel, EightBit eight_bit) {
    return MakeLattices(x, {8}, Role::kActivation, eight_bit)[0][channel][0].item<double>();
  };
  EXPECT_EQ(scale(0, EightBit::kPublishedSearch), 255e-6 / 255);
  EXPECT_EQ(scale(0, EightBit::kPublished), 255e-6 / 255 + 1e-10);
  EXPECT_EQ(scale(1, EightBit::kPublishedSearch), 1e-10);
  EXPECT_EQ(scale(1, EightBit::kPublished), 1e-10);
}

// The 8-bit flavours differ in what they scale together and in whether 0 is a level.
TEST(QuantizersTest, EightBitFlavours) {
  at::Tensor w = at::zeros({2, 3, 1, 1}, at::kDouble);
  w.select(0, 0).fill_(1.0);
  w.select(1, 2).mul_(8.0);
  EXPECT_TRUE(at::equal(QuantizeWeight(w, 8, EightBit::kSymmetric) == 0, w == 0));
  EXPECT_FALSE((QuantizeWeight(w, 8, EightBit::kPublished) == 0).any().item<bool>());
  const auto channels = [&w](Role role, EightBit eight_bit) {
    return MakeLattices(w, {8}, role, eight_bit).size(1);
  };
  EXPECT_EQ(channels(Role::kWeight, EightBit::kPublished), 3);
  EXPECT_EQ(channels(Role::kWeight, EightBit::kSymmetric), 2);
  EXPECT_EQ(channels(Role::kActivation, EightBit::kPublished), 3);
  EXPECT_EQ(channels(Role::kActivation, EightBit::kSymmetric), 1);
}

TEST(QuantizersTest, ResultsDoNotDependOnThreadsOrLayout) {
  at::Generator generator = at::detail::createCPUGenerator(3);
  const at::Tensor x = at::randn({8, 5, 50, 67}, generator, at::kFloat);
  const at::Tensor probs = at::softmax(at::randn({3}, generator, at::kFloat), 0);
  const at::Tensor grad_y = at::randn(x.sizes(), generator, at::kFloat);
  const auto mix = [](const at::Tensor& v, const at::Tensor& p) {
    return MixedActivation(v, {2, 4, 8}, p);
  };
  const auto transposed = [&mix](const at::Tensor& v, const at::Tensor& p) {
    return mix(v.transpose(2, 3).contiguous().transpose(2, 3), p);
  };
  at::set_num_threads(1);
  const Result one = Differentiate(x, probs, grad_y, mix);
  const Result strided = Differentiate(x, probs, grad_y, transposed);
  at::set_num_threads(4);
  const Result four = Differentiate(x, probs, grad_y, mix);
  for (const Result& other : {strided, four}) {
    EXPECT_TRUE(at::equal(one.y, other.y));
    EXPECT_TRUE(at::equal(one.grad_x, other.grad_x));
    EXPECT_TRUE(at::equal(one.grad_probs, other.grad_probs));
  }
}

bool SameBits(const at::Tensor& a, const at::Tensor& b) {
  return at::equal(a.contiguous().view(at::kByte), b.contiguous().view(at::kByte));
}

// Values on steps and bounds, zeros of both signs, and some that no lattice bounds.
at::Tensor WithCornerCases(at::Tensor x) {
  x.view(-1).slice(0, 0, 12).copy_(
      at::tensor({0.0, -0.0, 0.269, 0.538, 1.614, 0.0925, 0.185, 2.775, 1e-30, -1e-30, 1e6, -1e6}));
  return x;
}

TEST(QuantizersTest, EveryInstructionSetAndNumberOfThreadsGivesTheSameBits) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const at::Tensor x = WithCornerCases(at::randn({4, 5, 50, 67}, generator, dtype));
    const at::Tensor weight = at::randn({67, 50, 3, 5}, generator, dtype);
    const at::Tensor probs = at::softmax(at::randn({5}, generator, dtype), 0);
    const at::Tensor grad_x = at::randn(x.sizes(), generator, dtype);
    const at::Tensor grad_weight = at::randn(weight.sizes(), generator, dtype);
    std::vector<Result> first;
    for (const base::InstructionSet set : base::InstructionSets()) {
      base::PinInstructionSet(set);
      for (const int threads : {1, 2, 5}) {
        at::set_num_threads(threads);
        std::vector<Result> results;
        for (const EightBit eight_bit : kEightBits) {
          results.push_back(Differentiate(x, probs, grad_x, [&](const auto& v, const auto& p) {
            return MixedActivation(v, {1, 2, 4, 8, 32}, p, eight_bit);
          }));
          results.push_back(
              Differentiate(weight, probs, grad_weight, [&](const auto& v, const auto& p) {
                return MixedWeight(v, {1, 2, 4, 8, 32}, p, eight_bit);
              }));
        }
        if (first.empty()) first = results;
        for (size_t i = 0; i < results.size(); ++i) {
          EXPECT_TRUE(SameBits(results[i].y, first[i].y) &&
                      SameBits(results[i].grad_x, first[i].grad_x) &&
                      SameBits(results[i].grad_probs, first[i].grad_probs))
              << base::InstructionSetName(set) << ", " << threads << " threads, case " << i;
        }
      }
    }
  }
  at::set_num_threads(1);
  base::PinInstructionSet(base::InstructionSets().back());
}

TEST(QuantizersTest, ThirtyTwoBitsAreTheIdentity) {
  const at::Tensor x = at::linspace(-3, 3, 7, at::kFloat);
  EXPECT_TRUE(QuantizeActivation(x, 32).is_same(x));
  EXPECT_TRUE(QuantizeWeight(x, 32).is_same(x));
}

TEST(QuantizersTest, RefusesUnknownBitsAndMismatchedProbabilities) {
  const at::Tensor x = at::zeros({1, 1, 2, 2}, at::kFloat);
  EXPECT_THROW(QuantizeActivation(x, 9), c10::Error);
  EXPECT_THROW(MixedActivation(x, {2, 4}, at::zeros({3}, at::kFloat)), c10::Error);
  EXPECT_THROW(MixedActivation(x, {2, 4}, at::zeros({2}, at::kDouble)), c10::Error);
}

}  // namespace
}  // namespace quant
