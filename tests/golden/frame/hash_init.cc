#include "tests/golden/frame/hash_init.h"

#include <cmath>
#include <functional>

#include "ATen/ops/empty.h"
#include "absl/strings/match.h"
#include "c10/util/Exception.h"

namespace golden {
namespace {

uint64_t Fnv1a64(absl::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001B3;
  return hash;
}

// Uniform in [-1, 1).
double Signed(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  x ^= x >> 31;
  return 2 * std::ldexp(static_cast<double>(x >> 40), -24) - 1;
}

template <typename Map>
at::Tensor Hash(absl::string_view name, uint64_t seed, at::IntArrayRef shape, const Map& map) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* data = tensor.mutable_data_ptr<float>();
  const uint64_t base = Fnv1a64(name) + (seed << 32);
  for (int64_t i = 0; i < tensor.numel(); ++i) data[i] = static_cast<float>(map(Signed(base + i)));
  return tensor;
}

}  // namespace

at::Tensor HashParameter(absl::string_view name, uint64_t seed, at::IntArrayRef shape) {
  if (shape.size() >= 2) {
    double fan_in = 1;
    for (const int64_t size : shape.slice(1)) fan_in *= size;
    return Hash(name, seed, shape, [&](double s) { return s * std::sqrt(3 / fan_in); });
  }
  if (absl::EndsWith(name, ".weight")) {
    return Hash(name, seed, shape, [](double s) { return 1 + 0.1 * s; });
  }
  TORCH_CHECK(absl::EndsWith(name, ".bias"), "no hash initialization for ", std::string(name));
  return Hash(name, seed, shape, [](double s) { return 0.1 * s; });
}

at::Tensor HashInput(absl::string_view name, uint64_t seed, at::IntArrayRef shape) {
  return Hash(name, seed, shape, [](double s) { return 1.7 * s; });
}

}  // namespace golden
