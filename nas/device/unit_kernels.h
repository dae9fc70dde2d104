// Kernels over the units of a launch: a team takes one sample of one unit. Those of a sample are
// neighbours, so that they find its state in cache.
#ifndef NAS_DEVICE_UNIT_KERNELS_H_
#define NAS_DEVICE_UNIT_KERNELS_H_

#include <cstdint>

#include "nas/device/team.h"
#include "nas/device/unit_stages.h"

namespace nas::device {

// Of the edges into one node: five, with four primitives of convolutions each, and the factorized
// reduce of the two that halve.
inline constexpr int kMaxUnits = 5 * 4 + 2;

// The first convolution of the units, or what is behind it; sums of what they give, and of its
// squares.
template <typename T>
struct UnitForward {
  UnitArgs<T> units[kMaxUnits];
  int sums_at[kMaxUnits];  // Of a sample's sums.
  int count;
  int64_t samples;
  // The depthwise convolutions alone, whose outputs then are where the units' will be; or what is
  // behind them alone; or both.
  bool depthwise, pointwise;
  double* sums;  // [N, width], zeros; a unit's: [out, 2].
  int64_t width;

  int64_t blocks() const { return count * samples; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const int index = block % count;
    const int64_t sample = block / count;
    const UnitArgs<T>& unit = units[index];
    T* const y = unit.Output(sample);
    const int size = unit.size();
    if (unit.shape.kind == UnitKind::kSeparable) {
      if (depthwise) DepthwiseStage(team, unit, sample, y, shared);
      if (!pointwise) return;
    }
    const int halves = unit.shape.kind == UnitKind::kReduce ? 2 : 1;
    for (int half = 0; half < halves; ++half) {
      const Pointwise<T> conv = PointwiseOf(unit, sample, half, y);
      PointwiseStage(team, conv, y + half * conv.out * size, shared);
    }
    AddInLanes(
        team, 2 * unit.out(), size,
        [&](int i, int p) {
          const T value = y[i / 2 * size + p];
          return i % 2 == 0 ? value : value * value;
        },
        shared, sums + sample * width + sums_at[index]);
  }
};

template <typename T>
struct UnitBackwardArgs {
  UnitArgs<T> unit;
  OutputGradient<T> gradient;
  T* gx;             // [N, in, height, width]; null: not wanted.
  int weights_at;    // Of a sample's sums.
  int row;           // Of gammas.
  int norm_sums_at;  // -1: not wanted.
};

// The gradients of UnitForward. Units of one launch are of different rows of gammas.
template <typename T>
struct UnitBackward {
  UnitBackwardArgs<T> units[kMaxUnits];
  int count;
  int64_t samples;
  T* scratch;            // [blocks(), 2, scratch_size]
  int64_t scratch_size;  // in * size, of the greatest kSeparable.
  double* weight_sums;   // [N, weights], zeros; null: not wanted.
  int64_t weights;
  double* probability_sums;  // [N, rows, choices]; likewise.
  int64_t rows, choices;
  double*
      norm_sums;  // [N, norm_width], zeros; a unit's: [in, 2], as PointwiseBackward's on the CPU.
  int64_t norm_width;

  int64_t blocks() const { return count * samples; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const UnitBackwardArgs<T>& args = units[block % count];
    const int64_t sample = block / count;
    const UnitArgs<T>& unit = args.unit;
    const int in = unit.in(), in_size = unit.in_size();
    T* const d = scratch + block * 2 * scratch_size;
    T* const gd = d + scratch_size;
    T* const gx = args.gx == nullptr ? nullptr : args.gx + sample * in * in_size;
    const T* const g = args.gradient.g + sample * args.gradient.g_sample;
    const T* const y = unit.Output(sample);
    UnitSums sums{{nullptr, nullptr}, nullptr};
    if (weight_sums != nullptr) {
      sums.weights[0] = weight_sums + sample * weights + args.weights_at;
      sums.weights[1] = sums.weights[0] + unit.shape.first_weights();
    }
    if (probability_sums != nullptr) {
      sums.probabilities = probability_sums + (sample * rows + args.row) * choices;
    }

    if (unit.shape.kind == UnitKind::kSeparable) {
      DepthwiseStage(team, unit, sample, d, shared);
      PointwiseBackwardStage(team, PointwiseOf(unit, sample, 0, static_cast<const T*>(d)),
                             args.gradient, 0, g, y, gd, sums.weights[1], sums.probabilities,
                             shared);
      DepthwiseBackwardStage(team, unit, sample, gd, gx, sums, shared);
    } else {
      const bool reduce = unit.shape.kind == UnitKind::kReduce;
      if (reduce && gx != nullptr) team.ForEach(in * in_size, [&](int i) { gx[i] = 0; });
      for (int half = 0; half < (reduce ? 2 : 1); ++half) {
        const Pointwise<T> conv = PointwiseOf<T>(unit, sample, half, nullptr);
        PointwiseBackwardStage(team, conv, args.gradient, half * conv.out, g, y, gx,
                               sums.weights[half], sums.probabilities, shared);
      }
    }
    if (args.norm_sums_at < 0) return;
    const T* const x = unit.Input(sample);
    // gx holds the gradient of the activation's argument, whose scale the caller multiplies by.
    AddInLanes(
        team, 2 * in, in_size,
        [&](int i, int p) {
          const int at = i / 2 * in_size + p;
          return i % 2 == 0 ? gx[at] : gx[at] * x[at];
        },
        shared, norm_sums + sample * norm_width + args.norm_sums_at);
  }
};

// The range of each channel that units read, before their activation. A source's second half is
// what the odd pixels' convolution of a kReduce reads: all but the first row and column.
template <typename T>
struct Ranges {
  struct Source {
    const T* x;
    int64_t x_sample;
    int channels, height, width;
    bool halves;
    int at;  // Of a sample's pairs.
  };
  Source sources[kMaxUnits];
  int count;
  int64_t samples;
  T* ranges;  // [N, width, 2]
  int64_t width;

  int64_t blocks() const { return count * samples; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const Source& source = sources[block % count];
    const int64_t sample = block / count;
    const int size = source.height * source.width, columns = source.width;
    const int pairs = source.channels * (source.halves ? 2 : 1);
    const T* const x = source.x + sample * source.x_sample;
    T* const to = ranges + 2 * (sample * width + source.at);
    const int lanes = LanesOf(2 * pairs), at_once = kLaneValues / 2 / lanes;
    for (int first = 0; first < pairs; first += at_once) {
      const int here = Least(at_once, pairs - first);
      team.ForEach(here * lanes, [&](int i) {
        const int pair = first + i / lanes;
        const bool second = pair >= source.channels;
        const T* const plane = x + pair % source.channels * size;
        // Every plane has a value in its last corner.
        T least = plane[size - 1], greatest = least;
        for (int p = i % lanes; p < size; p += lanes) {
          if (second && (p < columns || p % columns == 0)) continue;
          least = Least(least, plane[p]);
          greatest = Greatest(greatest, plane[p]);
        }
        shared[2 * i] = least;
        shared[2 * i + 1] = greatest;
      });
      team.ForEach(here, [&](int i) {
        const T* const own = shared + 2 * i * lanes;
        T least = own[0], greatest = own[1];
        for (int lane = 1; lane < lanes; ++lane) {
          least = Least(least, own[2 * lane]);
          greatest = Greatest(greatest, own[2 * lane + 1]);
        }
        to[2 * (first + i)] = least;
        to[2 * (first + i) + 1] = greatest;
      });
    }
  }
};

}  // namespace nas::device

#endif  // NAS_DEVICE_UNIT_KERNELS_H_
