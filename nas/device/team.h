// A kernel's body, written once for whatever runs it: a team of threads that goes through it phase
// by phase. On CUDA the team is a block (cuda_launcher.cu); on the CPU a loop over its threads
// (host_launcher.h), so that a test runs the same bodies without a GPU.
#ifndef NAS_DEVICE_TEAM_H_
#define NAS_DEVICE_TEAM_H_

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define NAS_DEVICE __device__
#else
#define NAS_DEVICE
#endif

namespace nas::device {

// What Team is below:
//   template <typename Body> void ForEach(int count, const Body& body) const;
// calls body(i) for every i in [0, count), in any order and at the same time, and returns when all
// are done and every thread sees what they wrote: a phase. Nothing else is shared out; what a phase
// leaves for the next is in memory. Every thread of the team calls ForEach alike.

// A kernel K, a struct of sizes and pointers to the device's memory:
//   int64_t blocks() const;                                        // How many teams it takes.
//   template <typename Team> void Run(const Team& team, int block, T* shared) const;
// `shared` is memory of the team alone, kSharedValues of T.
//
// Sums are kept in lanes by number of terms, never by threads, so that they do not depend on the
// size of the team.
inline constexpr int kLaneValues = 1024;  // Of `shared`, where AddInLanes works;
inline constexpr int kDataValues = 9216;  // behind them, what stages keep there.
inline constexpr int kSharedValues = kLaneValues + kDataValues;

// A product rounded once with its sum, and rounding half to even.
#ifdef __CUDACC__
NAS_DEVICE inline float MulAdd(float a, float b, float c) { return fmaf(a, b, c); }
NAS_DEVICE inline double MulAdd(double a, double b, double c) { return fma(a, b, c); }
NAS_DEVICE inline float Round(float x) { return rintf(x); }
NAS_DEVICE inline double Round(double x) { return rint(x); }
NAS_DEVICE inline double SquareRoot(double x) { return sqrt(x); }
#else
template <typename T>
T MulAdd(T a, T b, T c) {
  return std::fma(a, b, c);
}
template <typename T>
T Round(T x) {
  return std::nearbyint(x);
}
inline double SquareRoot(double x) { return std::sqrt(x); }
#endif

template <typename N>
NAS_DEVICE constexpr N Least(N a, N b) {
  return b < a ? b : a;
}
template <typename N>
NAS_DEVICE constexpr N Greatest(N a, N b) {
  return a < b ? b : a;
}

// In how many lanes each of `count` sums is kept; a power of two.
NAS_DEVICE constexpr int LanesOf(int count) {
  int lanes = 128;
  while (lanes > 1 && lanes * count > kLaneValues) lanes /= 2;
  return lanes;
}

// targets[i * gap] += sum over p in [0, size) of term(i, p), for i in [0, count).
template <typename T, typename Team, typename Term>
NAS_DEVICE void AddInLanes(const Team& team, int count, int size, const Term& term, T* shared,
                           double* targets, int64_t gap = 1) {
  const int lanes = LanesOf(count), at_once = kLaneValues / lanes;
  for (int first = 0; first < count; first += at_once) {
    const int sums = Least(at_once, count - first);
    team.ForEach(sums * lanes, [&](int i) {
      const int index = first + i / lanes;
      T sum = 0;
      for (int p = i % lanes; p < size; p += lanes) sum += term(index, p);
      shared[i] = sum;
    });
    team.ForEach(sums, [&](int i) {
      double sum = 0;
      for (int lane = 0; lane < lanes; ++lane) sum += shared[i * lanes + lane];
      targets[(first + i) * gap] += sum;
    });
  }
}

}  // namespace nas::device

#endif  // NAS_DEVICE_TEAM_H_
