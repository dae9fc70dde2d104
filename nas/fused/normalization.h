// Batch normalizations as the fused operators see them: sums by channel, and what follows from
// them.
#ifndef NAS_FUSED_NORMALIZATION_H_
#define NAS_FUSED_NORMALIZATION_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"

namespace nas::fused {

// The running statistics of a batch normalization.
struct Normalization {
  at::Tensor running_mean, running_var;  // [C]
  at::Tensor batches;                    // Scalar: how many batches they have seen.
  double momentum = 0.1;
  double epsilon = 1e-5;
};

// Of values and of squares, by channel.
inline constexpr int64_t kChannelSums = 2;

// y -> scale y + shift, by channel.
template <typename T>
struct Fold {
  std::vector<T> scale, shift;
};

// One batch more. An operator of LibTorch for each of a network's thousand counters would take longer
// than many a unit; it remains for those that a change of dtype made floating-point.
inline void CountBatch(const Normalization& norm) {
  if (norm.batches.scalar_type() == at::kLong) {
    ++*norm.batches.mutable_data_ptr<int64_t>();
  } else {
    norm.batches.add_(1);
  }
}

// The fold of a normalization without affine part: in training of the statistics that `sums`
// (kChannelSums by channel, over all ranks) and the count of values make, which also move the
// running ones; else of the running ones.
template <typename T>
Fold<T> FoldStatistics(int64_t channels, const double* sums, double count, bool training,
                       const Normalization& norm) {
  Fold<T> fold;
  T* running_mean = norm.running_mean.mutable_data_ptr<T>();
  T* running_var = norm.running_var.mutable_data_ptr<T>();
  const auto move = [&](T& running, double value) {
    running = static_cast<T>(norm.momentum * value + (1 - norm.momentum) * running);
  };
  for (int64_t c = 0; c < channels; ++c) {
    double mean = running_mean[c], variance = running_var[c];
    if (training) {
      mean = sums[kChannelSums * c] / count;
      const double square = sums[kChannelSums * c + 1] / count;
      variance = square > mean * mean ? square - mean * mean : 0 * square;  // NaN stays NaN.
      move(running_mean[c], mean);
      move(running_var[c], variance * count / (count - 1));
    }
    const double scale = 1 / std::sqrt(variance + norm.epsilon);
    fold.scale.push_back(static_cast<T>(scale));
    fold.shift.push_back(static_cast<T>(-mean * scale));
  }
  if (training) CountBatch(norm);
  return fold;
}

// How a batch normalization turns the gradient g of its output into that of its input, from the
// latter's values y as they are kept: direct g + slope y + constant, by channel.
template <typename T>
struct GradientFold {
  std::vector<T> direct, slope, constant;
};

// `scale` multiplies what is normalized (the inverse deviation and an affine part's scale),
// `weight` what comes behind; `normalized` normalizes y as it is kept. sum and product, over all
// ranks: of the gradient behind the affine part, and of that times what is normalized; ignored but
// in training.
template <typename T>
GradientFold<T> FoldGradient(const std::vector<T>& scale, const Fold<T>& normalized, T weight,
                             double count, bool training, const double* sum,
                             const double* product) {
  GradientFold<T> result;
  for (size_t c = 0; c < scale.size(); ++c) {
    const double mean = training ? weight * sum[c] / count : 0;
    const double mean_product = training ? weight * product[c] / count : 0;
    const double s = scale[c];
    result.direct.push_back(static_cast<T>(s * weight));
    result.slope.push_back(static_cast<T>(-s * normalized.scale[c] * mean_product));
    result.constant.push_back(static_cast<T>(-s * (mean + normalized.shift[c] * mean_product)));
  }
  return result;
}

}  // namespace nas::fused

#endif  // NAS_FUSED_NORMALIZATION_H_
