// Counter-seeded random numbers that are the same on every machine and standard library.
//
//   Random random(seed, epoch, sample_id);   // one stream per (seed, epoch, sample)
//   double u = random.Uniform();             // [0, 1)
#ifndef DATA_PIXELS_RANDOM_H_
#define DATA_PIXELS_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>

namespace data {

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Starting a
// stream costs three multiplications per key, against 312 words for std::mt19937_64.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t key1 = 0, uint64_t key2 = 0)
      : state_(Mix(Mix(Mix(seed + kGolden) + key1 + kGolden) + key2 + kGolden)) {}

  uint64_t Next() { return Mix(state_ += kGolden); }

  // Uniform in [0, 1), a multiple of 2^-53.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  // Uniform in [0, n), n > 0 (the bias is below n / 2^64).
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64);
  }

 private:
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

// Fisher-Yates shuffle of values[first, last).
template <typename Values>
void Shuffle(Values& values, size_t first, size_t last, Random& random) {
  for (size_t i = last; i > first + 1; --i) {
    std::swap(values[i - 1], values[first + random.Below(i - first)]);
  }
}

}  // namespace data

#endif  // DATA_PIXELS_RANDOM_H_
