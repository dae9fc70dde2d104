// Kernels over the weights of a cell's convolutions: a team takes one of them.
#ifndef NAS_DEVICE_WEIGHT_KERNELS_H_
#define NAS_DEVICE_WEIGHT_KERNELS_H_

#include <cstdint>

#include "nas/device/mixture.h"
#include "nas/device/team.h"
#include "quant/lattice.h"

namespace nas::device {

// Convolutions of a cell, at most: two a unit, twelve an edge with a factorized reduce's beside.
inline constexpr int kMaxWeights = 2 * 2 + 14 * (12 + 2);

// What both passes go by.
template <typename T>
struct WeightArgs {
  struct Weight {
    const T* x;    // Back to back;
    int size;      // so many,
    int begin;     // from here on in the results.
    int row;       // Of the probabilities.
    int channels;  // Element i is of channel i / inner % channels, by lattices:
    int inner;
    int lattices;  // [bits, channels], from here on.
  };
  Weight weights[kMaxWeights];
  int count;
  int64_t bits[kMaxCandidates + 1];
  int num_bits;
  const T* probabilities;  // [rows, bits]; null: a single candidate.
  quant::Lattice<T>* lattices;

  NAS_DEVICE T Probability(const Weight& weight, int k) const {
    return probabilities == nullptr ? T(1) : probabilities[weight.row * num_bits + k];
  }
  NAS_DEVICE const quant::Lattice<T>& LatticeOf(const Weight& weight, int k, int i) const {
    return lattices[weight.lattices + k * weight.channels + i / weight.inner % weight.channels];
  }
  NAS_DEVICE static T Level(const quant::Lattice<T>& lattice, T x) {
    return lattice.step == 0 ? x : quant::Quantize(lattice, x);
  }
};

// y = sum_k probability_k Q_k(x), as quant::MixedWeight's, and the lattices that it takes.
template <typename T>
struct MixWeights {
  WeightArgs<T> args;
  quant::EightBit eight_bit;
  bool needs_deviation, needs_range;
  double* sums;  // [count, 2], zeros: of the elements, and of their squared deviations.
  T* y;

  int64_t blocks() const { return args.count; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const auto& weight = args.weights[block];
    const T* const x = weight.x;
    double* const own = sums + 2 * block;
    if (needs_deviation) {
      double* const lanes = reinterpret_cast<double*>(shared);
      AddInLanes<double>(
          team, 1, weight.size, [&](int, int p) { return static_cast<double>(x[p]); }, lanes, own);
      const double mean = own[0] / weight.size;
      AddInLanes<double>(
          team, 1, weight.size, [&](int, int p) { return (x[p] - mean) * (x[p] - mean); }, lanes,
          own + 1);
    }
    team.ForEach(weight.channels, [&](int c) {
      quant::Statistics<T> statistics;
      if (needs_deviation) {
        statistics.std = static_cast<T>(SquareRoot(own[1] / (weight.size - 1)));
      }
      if (needs_range) {
        const int gap = weight.channels * weight.inner;
        statistics.min = statistics.max = x[c * weight.inner];
        for (int first = c * weight.inner; first < weight.size; first += gap) {
          for (int i = first; i < first + weight.inner; ++i) {
            statistics.min = Least(statistics.min, x[i]);
            statistics.max = Greatest(statistics.max, x[i]);
          }
        }
      }
      for (int k = 0; k < args.num_bits; ++k) {
        args.lattices[weight.lattices + k * weight.channels + c] =
            quant::MakeLattice(args.bits[k], quant::Role::kWeight, eight_bit, statistics);
      }
    });
    team.ForEach(weight.size, [&](int i) {
      T sum = 0;
      for (int k = 0; k < args.num_bits; ++k) {
        sum += args.Level(args.LatticeOf(weight, k, i), x[i]) * args.Probability(weight, k);
      }
      y[weight.begin + i] = sum;
    });
  }
};

// MixWeights' gradients.
template <typename T>
struct MixWeightsBackward {
  WeightArgs<T> args;
  const T* gy;
  T* gx;                  // Like y.
  double* probabilities;  // [count, bits], zeros; null: not wanted.

  int64_t blocks() const { return args.count; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const auto& weight = args.weights[block];
    const T* const g = gy + weight.begin;
    team.ForEach(weight.size, [&](int i) {
      T slope = 0;
      for (int k = 0; k < args.num_bits; ++k) {
        if (quant::PassesGradient(args.LatticeOf(weight, k, i), weight.x[i])) {
          slope += args.Probability(weight, k);
        }
      }
      gx[weight.begin + i] = g[i] * slope;
    });
    if (probabilities == nullptr) return;
    AddInLanes(
        team, args.num_bits, weight.size,
        [&](int k, int i) { return g[i] * args.Level(args.LatticeOf(weight, k, i), weight.x[i]); },
        shared, probabilities + block * args.num_bits);
  }
};

// sums[rows[i]] += values[i], in the order of i.
template <typename T>
struct AddRows {
  const double* values;  // [count, width]
  int rows[kMaxWeights];
  int count, num_rows, width;
  T* sums;  // [num_rows, width]

  int64_t blocks() const { return 1; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int, T*) const {
    team.ForEach(num_rows * width, [&](int at) {
      double sum = 0;
      for (int i = 0; i < count; ++i) {
        if (rows[i] == at / width) sum += values[i * width + at % width];
      }
      sums[at] = static_cast<T>(sum);
    });
  }
};

}  // namespace nas::device

#endif  // NAS_DEVICE_WEIGHT_KERNELS_H_
