#include "distributed/data_parallel/batch_norm_kernels.h"

#include <random>
#include <vector>

#include "base/multiversion.h"
#include "gtest/gtest.h"

namespace distributed {
namespace {

template <typename T>
void ExpectSameBits() {
  std::mt19937 generator(1);
  std::normal_distribution<T> normal;
  std::vector<T> dy(1003), x(1003);
  for (T& value : dy) value = normal(generator);
  for (T& value : x) value = normal(generator);
  std::vector<T> first;
  for (const base::InstructionSet set : base::InstructionSets()) {
    base::PinInstructionSet(set);
    std::vector<T> dx(x.size());
    Combine(dy.data(), x.data(), x.size(), T(1.1), T(-0.3), T(0.7), dx.data());
    if (first.empty()) first = dx;
    EXPECT_EQ(dx, first) << base::InstructionSetName(set);
  }
  // Each product and each sum rounded.
  for (size_t i = 0; i < x.size(); ++i) {
    const volatile T a = T(1.1) * dy[i], b = T(-0.3) * x[i], sum = a + b;
    ASSERT_EQ(first[i], sum + T(0.7)) << i;
  }
}

TEST(CombineTest, EveryInstructionSetGivesTheSameBits) {
  ExpectSameBits<float>();
  ExpectSameBits<double>();
}

}  // namespace
}  // namespace distributed
