// Kernels between those over samples: what follows from their sums and ranges.
#ifndef NAS_DEVICE_STATISTICS_KERNELS_H_
#define NAS_DEVICE_STATISTICS_KERNELS_H_

#include <cstdint>
#include <limits>

#include "nas/device/mixture.h"
#include "nas/device/team.h"
#include "nas/device/unit_kernels.h"
#include "quant/lattice.h"

namespace nas::device {

// sums[i] = the sum over rows of values[row, i].
template <typename T>
struct ColumnSums {
  const double* values;  // [rows, width]
  int64_t rows, width;
  double* sums;  // [width]

  static constexpr int kColumns = 32, kLanes = 8;
  int64_t blocks() const { return (width + kColumns - 1) / kColumns; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    double* const lanes = reinterpret_cast<double*>(shared);
    const int64_t first = int64_t{block} * kColumns;
    team.ForEach(kColumns * kLanes, [&](int i) {
      const int64_t column = first + i % kColumns;
      if (column >= width) return;
      double sum = 0;
      for (int64_t row = i / kColumns; row < rows; row += kLanes)
        sum += values[row * width + column];
      lanes[i] = sum;
    });
    team.ForEach(kColumns, [&](int i) {
      if (first + i >= width) return;
      double sum = 0;
      for (int lane = 0; lane < kLanes; ++lane) sum += lanes[lane * kColumns + i];
      sums[first + i] = sum;
    });
  }
};

// The least and the greatest over rows of pairs of them; infinities without rows.
template <typename T>
struct JoinRanges {
  const T* ranges;  // [rows, width, 2]
  int64_t rows, width;
  T* joined;  // [2, width]

  static constexpr int kColumns = 128;
  int64_t blocks() const { return (width + kColumns - 1) / kColumns; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T*) const {
    team.ForEach(kColumns, [&](int i) {
      const int64_t column = int64_t{block} * kColumns + i;
      if (column >= width) return;
      T least = std::numeric_limits<T>::infinity(), greatest = -least;
      for (int64_t row = 0; row < rows; ++row) {
        least = Least(least, ranges[2 * (row * width + column)]);
        greatest = Greatest(greatest, ranges[2 * (row * width + column) + 1]);
      }
      joined[column] = least;
      joined[width + column] = greatest;
    });
  }
};

// The candidates of mixtures, as MakeQuantizers on the CPU; a team makes those of one.
template <typename T>
struct MakeMixtures {
  struct Target {
    const T* ranges;  // Of its first channel, before the activation; null: bits need none.
    Activation<T> activation;
    int channels;
    const T* probabilities;  // By bits; null: a single candidate.
    Candidate<T>* candidates;
  };
  Target targets[2 * kMaxUnits];
  int count;
  int64_t bits[kMaxCandidates + 1];
  int num_bits;
  int64_t greatest_at;  // From a least value to its greatest.
  quant::EightBit eight_bit;

  int64_t blocks() const { return count; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const Target& target = targets[block];
    T* const activated = shared;  // Pairs by channel, then that of all.
    const int channels = target.ranges == nullptr ? 0 : target.channels;
    team.ForEach(channels, [&](int c) {
      T least = Activated(target.activation, c, target.ranges[c]);
      T greatest = Activated(target.activation, c, target.ranges[greatest_at + c]);
      // A negative scale exchanges them.
      if (least > greatest) {
        const T other = least;
        least = greatest;
        greatest = other;
      }
      activated[2 * c] = least;
      activated[2 * c + 1] = greatest;
    });
    T* const whole = activated + 2 * channels;
    team.ForEach(channels > 0 ? 1 : 0, [&](int) {
      whole[0] = activated[0];
      whole[1] = activated[1];
      for (int c = 1; c < channels; ++c) {
        whole[0] = Least(whole[0], activated[2 * c]);
        whole[1] = Greatest(whole[1], activated[2 * c + 1]);
      }
    });
    const bool by_channel = channels > 0 && eight_bit != quant::EightBit::kSymmetric;
    team.ForEach(by_channel ? channels : 1, [&](int c) {
      quant::Statistics<T> statistics;
      if (channels > 0) {
        statistics.tensor_min = whole[0];
        statistics.min = by_channel ? activated[2 * c] : whole[0];
        statistics.max = by_channel ? activated[2 * c + 1] : whole[1];
      }
      int mixed = 0;
      for (int i = 0; i < num_bits; ++i) mixed += bits[i] == 32 ? 0 : 1;
      Candidate<T>* candidate = target.candidates + c * mixed;
      for (int i = 0; i < num_bits; ++i) {
        if (bits[i] == 32) continue;
        *candidate++ = fused::MakeCandidate(
            quant::MakeLattice(bits[i], quant::Role::kActivation, eight_bit, statistics),
            target.probabilities == nullptr ? T(1) : target.probabilities[i]);
      }
    });
  }
};

// Of a launch: beside units' both pools' of the edges out of up to two states.
inline constexpr int kMaxNorms = kMaxUnits + 2 * 2 * 4;

// Batch normalizations without affine part: as nas/fused/normalization.h's FoldStatistics, but that
// the caller counts batches.
template <typename T>
struct FoldStatistics {
  struct Norm {
    const double* sums;  // [channels, 2], over all ranks.
    int channels;
    int64_t size;  // Values by channel of a sample.
    T *running_mean, *running_var;
    double momentum, epsilon;
    T *scale, *shift;
  };
  Norm norms[kMaxNorms];
  int count;
  bool training;
  const double* samples;  // Over all ranks.

  int64_t blocks() const { return count; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T*) const {
    const Norm& norm = norms[block];
    team.ForEach(norm.channels, [&](int c) {
      double mean = norm.running_mean[c], variance = norm.running_var[c];
      if (training) {
        const double values = *samples * norm.size;
        mean = norm.sums[2 * c] / values;
        const double square = norm.sums[2 * c + 1] / values;
        variance = square > mean * mean ? square - mean * mean : 0 * square;  // NaN stays NaN.
        Move(norm, norm.running_mean[c], mean);
        Move(norm, norm.running_var[c], variance * values / (values - 1));
      }
      const double scale = 1 / SquareRoot(variance + norm.epsilon);
      norm.scale[c] = static_cast<T>(scale);
      norm.shift[c] = static_cast<T>(-mean * scale);
    });
  }

 private:
  NAS_DEVICE static void Move(const Norm& norm, T& running, double value) {
    running = static_cast<T>(norm.momentum * value + (1 - norm.momentum) * running);
  }
};

// Gradients of batch normalizations' inputs: as nas/fused/normalization.h's FoldGradient.
template <typename T>
struct FoldGradients {
  struct Norm {
    int channels;
    int64_t size;            // Values by channel of a sample.
    const T *scale, *shift;  // Of the fold; null shift: y is kept normalized.
    const T* weight;         // What multiplies behind; null: 1.
    // Over all ranks, by channel `gap` apart: of the gradient, and of it times y.
    const double *sum, *product;
    int gap;
    bool normalized;  // Whether `product` is of the normalized y already.
    T *direct, *slope, *constant;
    double* pool_sums;  // [2, channels], to which weighted sums and products are added; or null.
    bool direct_is_one;
  };
  Norm norms[kMaxNorms];
  int count;
  bool training;
  const double* samples;  // Over all ranks.

  int64_t blocks() const { return count; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T*) const {
    const Norm& norm = norms[block];
    team.ForEach(norm.channels, [&](int c) {
      const double scale = norm.scale[c];
      const double inner_scale = norm.shift == nullptr ? 1 : scale;
      const double inner_shift = norm.shift == nullptr ? 0 : norm.shift[c];
      const double weight = norm.weight == nullptr ? 1 : *norm.weight;
      const double sum = norm.sum[c * norm.gap];
      double product = norm.product[c * norm.gap];
      if (!norm.normalized) product = inner_scale * product + inner_shift * sum;
      const double values = *samples * norm.size;
      const double mean = training ? weight * sum / values : 0;
      const double mean_product = training ? weight * product / values : 0;
      norm.direct[c] = norm.direct_is_one ? T(1) : static_cast<T>(scale * weight);
      norm.slope[c] = static_cast<T>(-scale * inner_scale * mean_product);
      norm.constant[c] = static_cast<T>(-scale * (mean + inner_shift * mean_product));
      if (norm.pool_sums == nullptr) return;
      norm.pool_sums[c] += weight * sum;
      norm.pool_sums[norm.channels + c] += weight * product;
    });
  }
};

}  // namespace nas::device

#endif  // NAS_DEVICE_STATISTICS_KERNELS_H_
