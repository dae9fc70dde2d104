// Kernels over the states and nodes of a cell: a team takes one channel of one sample.
#ifndef NAS_DEVICE_NODE_KERNELS_H_
#define NAS_DEVICE_NODE_KERNELS_H_

#include <cstdint>

#include "nas/device/team.h"

namespace nas::device {

// Edges into a node, or out of a state, at most; and what primitives give over them.
inline constexpr int kMaxEdges = 5;
inline constexpr int kMaxTerms = 7 * kMaxEdges;

// x = scale_c x + shift_c, in place.
template <typename T>
struct Normalize {
  T* x;  // [N, channels, size]
  int channels, size;
  const T *scale, *shift;
  int64_t samples;

  int64_t blocks() const { return samples * channels; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T*) const {
    T* const plane = x + int64_t{block} * size;
    const int c = block % channels;
    team.ForEach(size, [&](int p) { plane[p] = plane[p] * scale[c] + shift[c]; });
  }
};

// The windows of 3x3 pools, padded by 1 with what does not count.
struct Windows {
  int height, width;  // Of the input.
  int stride;

  NAS_DEVICE int out_width() const { return width / stride; }
  NAS_DEVICE int size() const { return height / stride * out_width(); }

  // Calls body(pixel, number) for each pixel of window p.
  template <typename Body>
  NAS_DEVICE void ForPixels(int p, const Body& body) const {
    const int r = p / out_width() * stride - 1, c = p % out_width() * stride - 1;
    for (int k = 0; k < 9; ++k) {
      const int row = r + k / 3, column = c + k % 3;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      body(row * width + column, k);
    }
  }
  // How many pixels window p has.
  NAS_DEVICE int Count(int p) const {
    const int r = p / out_width() * stride - 1, c = p % out_width() * stride - 1;
    return (Least(r + 3, height) - Greatest(r, 0)) * (Least(c + 3, width) - Greatest(c, 0));
  }
  // Calls body(window, number) for each window that pixel i is in.
  template <typename Body>
  NAS_DEVICE void ForWindowsOf(int i, const Body& body) const {
    for (int k = 0; k < 9; ++k) {
      const int row = i / width + 1 - k / 3, column = i % width + 1 - k % 3;
      if (row < 0 || column < 0 || row % stride != 0 || column % stride != 0) continue;
      if (row / stride >= height / stride || column / stride >= out_width()) continue;
      body(row / stride * out_width() + column / stride, k);
    }
  }
};

// The 2x2 pixels that become one at stride 2.
struct Square {
  int pixels[4];

  NAS_DEVICE Square(const Windows& windows, int p) {
    const int corner = p / windows.out_width() * 2 * windows.width + p % windows.out_width() * 2;
    for (int i = 0; i < 4; ++i) pixels[i] = corner + i / 2 * windows.width + i % 2;
  }
  // NaN, if there is one.
  template <typename T>
  NAS_DEVICE T GreatestOf(const T* plane) const {
    T greatest = plane[pixels[0]];
    for (const int pixel : pixels) {
      if (plane[pixel] > greatest || plane[pixel] != plane[pixel]) greatest = plane[pixel];
    }
    return greatest;
  }
};

// Of a state: its pools with the sums that their normalizations need, and where edges out of it
// have stride 2, the greatest of every 2x2 pixels of the channels that pass them by.
template <typename T>
struct PrepareState {
  const T* x;  // Of the first sample; planes back to back,
  int64_t x_sample;
  int channels, processed;
  Windows windows;
  T* pools[2];   // Maximum, average: [N, processed, size].
  T* bypass;     // [N, channels - processed, size]; null at stride 1.
  double* sums;  // [N, 2, processed, 2], zeros.
  int64_t samples;

  NAS_DEVICE int taken() const { return bypass == nullptr ? processed : channels; }
  int64_t blocks() const { return samples * taken(); }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const int c = block % taken(), size = windows.size();
    const int64_t sample = block / taken();
    const T* const plane = x + sample * x_sample + c * windows.height * windows.width;
    if (c >= processed) {
      T* const y = bypass + (sample * (channels - processed) + c - processed) * size;
      team.ForEach(size, [&](int p) { y[p] = Square(windows, p).GreatestOf(plane); });
      return;
    }
    T* const max = pools[0] + (sample * processed + c) * size;
    T* const average = pools[1] + (sample * processed + c) * size;
    team.ForEach(size, [&](int p) {
      T sum = 0, greatest = 0;
      bool first = true;
      windows.ForPixels(p, [&](int pixel, int) {
        const T value = plane[pixel];
        sum += value;
        if (first || value > greatest || value != value) greatest = value;
        first = false;
      });
      max[p] = greatest;
      average[p] = sum * (T(1) / static_cast<T>(windows.Count(p)));
    });
    for (int kind = 0; kind < 2; ++kind) {
      const T* const y = kind == 0 ? max : average;
      AddInLanes(
          team, 2, size, [&](int i, int p) { return i == 0 ? y[p] : y[p] * y[p]; }, shared,
          sums + ((sample * 2 + kind) * processed + c) * 2);
    }
  }
};

// What a primitive of an edge gives to its node.
template <typename T>
struct TermArgs {
  const T* y;  // Of the first sample; planes back to back,
  int64_t y_sample;
  const T *scale, *shift;  // Of its normalization; null for the identity.
  const T* weight;         // alpha's, on the device.
};

// What passes an edge by.
template <typename T>
struct BypassArgs {
  const T* x;  // Of the first sample; planes back to back,
  int64_t x_sample;
  const T* weight;  // beta's, on the device.
};

// Where channels of a cell lie in a node behind the shuffle.
struct NodeLayout {
  int channels, processed;

  NAS_DEVICE int partial() const { return channels / processed; }
  NAS_DEVICE int Processed(int c) const { return c * partial(); }
  NAS_DEVICE int Bypass(int b) const { return b % processed * partial() + b / processed + 1; }
};

// A node's weighted sums, its channels shuffled.
template <typename T>
struct Mix {
  TermArgs<T> terms[kMaxTerms];
  int num_terms;
  BypassArgs<T> edges[kMaxEdges];
  int num_edges;
  NodeLayout layout;
  int size;
  T* out;  // Of the first sample; planes back to back,
  int64_t out_sample;
  int64_t samples;

  int64_t blocks() const { return samples * layout.channels; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const int channel = block % layout.channels;
    const int64_t sample = block / layout.channels;
    T* const node = out + sample * out_sample;
    if (channel >= layout.processed) {
      const int b = channel - layout.processed;
      T* const plane = node + layout.Bypass(b) * size;
      team.ForEach(size, [&](int p) {
        T sum = 0;
        for (int e = 0; e < num_edges; ++e) {
          const BypassArgs<T>& edge = edges[e];
          sum = MulAdd(*edge.weight, edge.x[sample * edge.x_sample + b * size + p], sum);
        }
        plane[p] = sum;
      });
      return;
    }
    T* const coefficients = shared;
    T* const constants = shared + kMaxTerms;
    team.ForEach(num_terms, [&](int t) {
      const TermArgs<T>& term = terms[t];
      const bool identity = term.scale == nullptr;
      coefficients[t] = identity ? *term.weight : *term.weight * term.scale[channel];
      constants[t] = identity ? T(0) : *term.weight * term.shift[channel];
    });
    T* const plane = node + layout.Processed(channel) * size;
    team.ForEach(size, [&](int p) {
      T sum = 0;
      for (int t = 0; t < num_terms; ++t) sum += constants[t];
      for (int t = 0; t < num_terms; ++t) {
        const TermArgs<T>& term = terms[t];
        sum = MulAdd(coefficients[t], term.y[sample * term.y_sample + channel * size + p], sum);
      }
      plane[p] = sum;
    });
  }
};

// The gradient of each processed channel, summed, and its products with each term; those of the
// channels that pass by with what passes each edge.
template <typename T>
struct Products {
  const T* g;  // Of the first sample,
  int64_t g_sample;
  NodeLayout layout;
  int size;
  TermArgs<T> terms[kMaxTerms];
  int num_terms;
  BypassArgs<T> edges[kMaxEdges];
  int num_edges;  // 0: those are not wanted.
  double* sums;   // [N, width], zeros: [1 + terms, processed], then by edge.
  int64_t width;
  int64_t samples;

  NAS_DEVICE int taken() const { return layout.processed + (num_edges > 0 ? 1 : 0); }
  int64_t blocks() const { return samples * taken(); }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const int c = block % taken();
    const int64_t sample = block / taken();
    const T* const gradient = g + sample * g_sample;
    double* const own = sums + sample * width;
    if (c == layout.processed) {
      const int bypassed = layout.channels - layout.processed;
      AddInLanes(
          team, num_edges, bypassed * size,
          [&](int e, int i) {
            return gradient[layout.Bypass(i / size) * size + i % size] *
                   edges[e].x[sample * edges[e].x_sample + i];
          },
          shared, own + (1 + num_terms) * layout.processed);
      return;
    }
    const T* const plane = gradient + layout.Processed(c) * size;
    AddInLanes(
        team, 1 + num_terms, size,
        [&](int i, int p) {
          if (i == 0) return plane[p];
          const TermArgs<T>& term = terms[i - 1];
          return plane[p] * term.y[sample * term.y_sample + c * size + p];
        },
        shared, own + c, layout.processed);
  }
};

// The gradients of alphas and betas of the edges into a node, from Products' sums.
template <typename T>
struct ArchitectureGradients {
  TermArgs<T> terms[kMaxTerms];
  int places[kMaxTerms];  // In `primitives`.
  int num_terms;
  int num_edges, first_edge;
  int processed;
  const double* sums;
  T *primitives, *edges;

  int64_t blocks() const { return 1; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int, T*) const {
    team.ForEach(num_terms, [&](int t) {
      const TermArgs<T>& term = terms[t];
      double gradient = 0;
      for (int c = 0; c < processed; ++c) {
        const double product = sums[(1 + t) * processed + c];
        gradient +=
            term.scale == nullptr ? product : term.scale[c] * product + term.shift[c] * sums[c];
      }
      primitives[places[t]] = static_cast<T>(gradient);
    });
    team.ForEach(num_edges, [&](int e) {
      edges[first_edge + e] = static_cast<T>(sums[(1 + num_terms) * processed + e]);
    });
  }
};

// The gradient of a state, when every node that reads it is done: what units give it, what passes
// through pools, identities and beside the edges, and what the cell's output adds.
template <typename T>
struct StateGradient {
  struct Edge {
    const T* g;  // Of the node that it leads to, of the first sample,
    int64_t g_sample;
    const T* pool_weights[2];  // alpha's of maximum, average,
    const T* pool_scales[2];   // and their folds'.
    const T* identity;         // alpha's.
    const T* bypass;           // beta's.
  };
  Edge edges[kMaxEdges];
  int num_edges;
  const T* units[kMaxEdges * kMaxEdges];  // Gradients [N, processed, in_size] that units give.
  int num_units;
  NodeLayout layout;
  Windows windows;
  const T* x;  // The state's, of the first sample,
  int64_t x_sample;
  const T* pools[2];
  const T *slope[2], *constant[2];  // Of the pools' normalizations.
  const T* added;                   // As the gradient; null: nothing.
  int64_t added_sample;
  T* gradient;  // Of the first sample,
  int64_t gradient_sample;
  int64_t samples;

  int64_t blocks() const { return samples * layout.channels; }

  template <typename Team>
  NAS_DEVICE void Run(const Team& team, int block, T* shared) const {
    const int channel = block % layout.channels;
    const int64_t sample = block / layout.channels;
    const int in_size = windows.height * windows.width;
    T* const target = gradient + sample * gradient_sample + channel * in_size;
    const T* const initial =
        added == nullptr ? nullptr : added + sample * added_sample + channel * in_size;
    const T* const plane = x + sample * x_sample + channel * in_size;
    if (channel < layout.processed) {
      Processed(team, channel, sample, plane, initial, target, shared);
    } else {
      PassedBy(team, channel - layout.processed, sample, plane, initial, target);
    }
  }

 private:
  template <typename Team>
  NAS_DEVICE void Processed(const Team& team, int c, int64_t sample, const T* plane,
                            const T* initial, T* target, T* shared) const {
    const int size = windows.size(), in_size = windows.height * windows.width;
    // Of the pools' inputs by window, and which of its pixels is the greatest, the first of equal
    // ones.
    T* const max_gradients = shared;
    T* const average_gradients = shared + size;
    T* const from = shared + 2 * size;
    const int64_t at = (sample * layout.processed + c) * size;
    team.ForEach(size, [&](int p) {
      for (int kind = 0; kind < 2; ++kind) {
        T sum = MulAdd(pools[kind][at + p], slope[kind][c], constant[kind][c]);
        for (int e = 0; e < num_edges; ++e) {
          const Edge& edge = edges[e];
          sum = MulAdd(*edge.pool_weights[kind] * edge.pool_scales[kind][c],
                       edge.g[sample * edge.g_sample + layout.Processed(c) * size + p], sum);
        }
        (kind == 0 ? max_gradients : average_gradients)[p] =
            kind == 0 ? sum : sum * (T(1) / static_cast<T>(windows.Count(p)));
      }
      const T greatest = pools[0][at + p];
      int first = -1;
      windows.ForPixels(p, [&](int pixel, int k) {
        if (first < 0 && plane[pixel] == greatest) first = k;
      });
      from[p] = static_cast<T>(first);
    });
    team.ForEach(in_size, [&](int i) {
      T sum = initial == nullptr ? T(0) : initial[i];
      for (int u = 0; u < num_units; ++u) {
        sum += units[u][(sample * layout.processed + c) * in_size + i];
      }
      windows.ForWindowsOf(i, [&](int p, int k) {
        if (from[p] == static_cast<T>(k)) sum += max_gradients[p];
        sum += average_gradients[p];
      });
      if (windows.stride == 1) {
        for (int e = 0; e < num_edges; ++e) {
          sum =
              MulAdd(*edges[e].identity,
                     edges[e].g[sample * edges[e].g_sample + layout.Processed(c) * size + i], sum);
        }
      }
      target[i] = sum;
    });
  }

  template <typename Team>
  NAS_DEVICE void PassedBy(const Team& team, int b, int64_t sample, const T* plane,
                           const T* initial, T* target) const {
    const int size = windows.size();
    const int place = layout.Bypass(b) * size;
    const auto combined = [&](int p) {
      T sum = 0;
      for (int e = 0; e < num_edges; ++e) {
        sum = MulAdd(*edges[e].bypass, edges[e].g[sample * edges[e].g_sample + place + p], sum);
      }
      return sum;
    };
    if (windows.stride == 1) {
      team.ForEach(
          size, [&](int p) { target[p] = (initial == nullptr ? T(0) : initial[p]) + combined(p); });
      return;
    }
    // Of each 2x2 pixels the first of the greatest ones.
    team.ForEach(size, [&](int p) {
      const Square square(windows, p);
      const T greatest = square.GreatestOf(plane);
      T left = combined(p);
      for (const int pixel : square.pixels) {
        const bool here = plane[pixel] == greatest;
        target[pixel] = (initial == nullptr ? T(0) : initial[pixel]) + (here ? left : T(0));
        if (here) left = 0;
      }
    });
  }
};

}  // namespace nas::device

#endif  // NAS_DEVICE_NODE_KERNELS_H_
