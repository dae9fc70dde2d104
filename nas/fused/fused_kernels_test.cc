// Every instruction set gives the same bits; what the kernels compute is tested where they are
// used, against the modules (nas/supernet/supernet_cell_test.cc).

#include "nas/fused/fused_kernels.h"

#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace nas::fused {
namespace {

// The results of every kernel, one after the other.
template <typename T>
class Results {
 public:
  Results(const DepthwiseShape& shape, int in, int out) : shape_(shape), in_(in), out_(out) {
    Fill(x_, in_ * InSize());
    Fill(g_, out_ * OutSize());
    Fill(depthwise_, in_ * shape.kernel * shape.kernel);
    Fill(pointwise_, out_ * in_);
    Fill(scale_, in_);
    Fill(shift_, in_);
    Fill(coefficients_, out_);
    for (int c = 0; c < in_; ++c) {
      candidates_.push_back({T(1 / 0.538), 0, 0, 3, T(0.538), T(0.3), 0, T(3 * 0.538)});
      const T step = T(0.01) * (c + 1);
      constexpr T kEverywhere = std::numeric_limits<T>::infinity();
      candidates_.push_back({1 / step, T(0.5), -127, 127, step, T(0.5), -kEverywhere, kEverywhere});
    }
  }

  std::vector<T> Of(const Mixture<T>& given) {
    Mixture<T> mixture = given;
    mixture.candidates = candidates_.data();
    mixture.channel_stride = 2;
    const Activation<T> affine{scale_.data(), shift_.data(), true}, none{.relu = false};
    std::vector<T> all, d(in_ * OutSize()), y(out_ * OutSize());
    std::vector<double> sums(2 * out_);
    DepthwiseForward(shape_, in_, Planes<const T>(x_.data(), InSize()), affine, mixture,
                     depthwise_.data(), d.data(), scratch_);
    PointwiseForward(in_, out_, OutSize(), Planes<const T>(d.data(), OutSize()), none, mixture,
                     pointwise_.data(), y.data(), sums.data(), scratch_);
    Append(d, all);
    Append(y, all);
    Append(sums, all);

    std::vector<T> gx(x_), lanes((out_ * in_ + depthwise_.size()) * kLanes<T>);
    std::vector<double> probabilities(3), norm_sums(2 * in_), lane_sums(out_ * in_);
    const WeightGradients<T> wanted{lanes.data(),
                                    lanes.data() + out_ * in_ * kLanes<T>,
                                    {probabilities.data(), probabilities.data()}};
    SeparableBackward(shape_, in_, out_, Planes<const T>(x_.data(), InSize()), affine, mixture,
                      depthwise_.data(), mixture, pointwise_.data(),
                      {g_.data(), OutSize(), y.data(), coefficients_.data(), coefficients_.data(),
                       coefficients_.data()},
                      Planes<T>(gx.data(), InSize()), /*accumulate=*/true, norm_sums.data(), wanted,
                      scratch_);
    AddLanes<T>(lane_sums.size(), PointwiseLanes<T>(in_), lanes.data(), lane_sums.data());
    Append(gx, all);
    Append(lanes, all);
    Append(probabilities, all);
    Append(norm_sums, all);
    Append(lane_sums, all);

    for (const bool max : {false, true}) {
      std::vector<T> pooled(in_ * OutSize());
      PoolForward(max, in_, shape_.height, shape_.width, shape_.stride, x_.data(), InSize(),
                  pooled.data(), scratch_);
      PoolBackward(max, in_, shape_.height, shape_.width, shape_.stride, x_.data(), InSize(),
                   pooled.data(),
                   {g_.data(), OutSize(), pooled.data(), coefficients_.data(), coefficients_.data(),
                    coefficients_.data()},
                   gx.data(), InSize(), scratch_);
      Append(pooled, all);
    }
    if (shape_.stride == 2) {
      std::vector<T> phase(in_ * OutSize()), greatest(in_ * OutSize());
      for (const int odd : {0, 1}) {
        GatherPhase(in_, shape_.height, shape_.width, odd, Planes<const T>(x_.data(), InSize()),
                    phase.data());
        ScatterPhase(in_, shape_.height, shape_.width, odd, phase.data(),
                     Planes<T>(gx.data(), InSize()));
        Append(phase, all);
      }
      MaxOfSquares(in_, shape_.height, shape_.width, x_.data(), greatest.data());
      MaxOfSquaresBackward(in_, shape_.height, shape_.width, x_.data(), greatest.data(), g_.data(),
                           gx.data());
      Append(greatest, all);
    }
    const std::vector<const T*> terms = {x_.data(), gx.data()};
    Combine(InSize(), 2, terms.data(), coefficients_.data(), T(0.25), d.data());
    std::vector<T> ranges(2 * in_);
    JoinRanges(in_, InSize(), Planes<const T>(x_.data(), InSize()), ranges.data());
    Append(gx, all);
    Append(d, all);
    Append(ranges, all);
    Append(std::vector<double>{Sum(InSize(), x_.data()), Dot(InSize(), x_.data(), gx.data())}, all);
    return all;
  }

 private:
  int64_t InSize() const { return shape_.height * shape_.width; }
  int64_t OutSize() const { return shape_.out_height() * shape_.out_width(); }
  void Fill(std::vector<T>& values, int64_t size) {
    std::normal_distribution<T> normal;
    for (int64_t i = 0; i < size; ++i) values.push_back(normal(random_));
  }
  template <typename Value>
  static void Append(const std::vector<Value>& values, std::vector<T>& all) {
    for (const Value value : values) all.push_back(static_cast<T>(value));
  }

  const DepthwiseShape shape_;
  const int in_, out_;
  std::mt19937_64 random_{5};
  std::vector<T> x_, g_, depthwise_, pointwise_, scale_, shift_, coefficients_;
  std::vector<Candidate<T>> candidates_;
  Scratch<T> scratch_;
};

template <typename T>
void ExpectSameBitsOnAllTargets() {
  const std::vector<std::string> targets = KernelTargets();
  for (const DepthwiseShape& shape :
       {DepthwiseShape{8, 12, 3, 1, 1}, DepthwiseShape{8, 12, 5, 2, 2},
        DepthwiseShape{7, 7, 5, 1, 1}, DepthwiseShape{14, 14, 3, 2, 2},
        DepthwiseShape{32, 32, 7, 1, 1}}) {
    for (const Mixture<T>& mixture : {Mixture<T>{}, Mixture<T>{1, false, 0},
                                      Mixture<T>{2, false, 0}, Mixture<T>{2, true, T(0.2)}}) {
      // Few channels and many, none a multiple of what kernels take at a time.
      for (const int in : {5, 50}) {
        std::vector<T> first;
        for (const std::string& target : targets) {
          PinKernelTarget(target);
          const std::vector<T> results = Results<T>(shape, in, in + 2).Of(mixture);
          if (first.empty()) first = results;
          ASSERT_EQ(results.size(), first.size());
          EXPECT_EQ(std::memcmp(results.data(), first.data(), first.size() * sizeof(T)), 0)
              << target << " differs from " << targets.front() << " at " << shape.height << " x "
              << shape.width << ", kernel " << shape.kernel << ", " << in << " channels";
        }
      }
    }
  }
  PinKernelTarget("");
}

TEST(FusedKernelsTest, EveryTargetGivesTheSameBits) {
  if (!KernelsAvailable()) GTEST_SKIP() << "this processor has neither AVX2 nor NEON";
  ExpectSameBitsOnAllTargets<float>();
  ExpectSameBitsOnAllTargets<double>();
}

TEST(FusedKernelsTest, NanStaysNan) {
  if (!KernelsAvailable()) GTEST_SKIP() << "this processor has neither AVX2 nor NEON";
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x(16, kNan), weights = {1};
  const Candidate<float> two_bits{1 / 0.538f, 0, 0, 3, 0.538f, 1, 0, 3 * 0.538f};
  std::vector<float> y(16);
  std::vector<double> sums(2);
  Scratch<float> scratch;
  PointwiseForward(1, 1, 16, Planes<const float>(x.data(), 16), Activation<float>(),
                   {1, false, 0, &two_bits, 0}, weights.data(), y.data(), sums.data(), scratch);
  EXPECT_TRUE(y[0] != y[0]);
  EXPECT_TRUE(sums[0] != sums[0]);
}

}  // namespace
}  // namespace nas::fused
