#include "tests/golden/frame/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ATen/TensorOperators.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/scalar_tensor.h"
#include "ATen/ops/where.h"

namespace golden {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// error / tolerance, ordered so that any failure is above any success.
double Strain(const Measurement& m) {
  if (!m.ok()) return m.tolerance > 0 && m.error < kInfinity ? m.error / m.tolerance : kInfinity;
  return m.error == 0 ? 0 : m.error / m.tolerance;
}

struct FinitePart {
  at::Tensor difference, expected;
};

// Both in float64 with non-finite elements set to 0; nothing if shapes or those elements differ.
std::optional<FinitePart> Subtract(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes()) return std::nullopt;
  const at::Tensor a = actual.detach().to(at::kDouble);
  const at::Tensor e = expected.detach().to(at::kDouble);
  const at::Tensor finite = at::isfinite(e);
  const at::Tensor zero = at::scalar_tensor(0, at::kDouble);
  const at::Tensor odd_a = at::where(at::isfinite(a), zero, a);
  const at::Tensor odd_e = at::where(finite, zero, e);
  const at::Tensor alike = (odd_a == odd_e).logical_or(odd_a.isnan().logical_and(odd_e.isnan()));
  if (!alike.all().item<bool>()) return std::nullopt;
  return FinitePart{at::where(finite, a - e, zero), at::where(finite, e, zero)};
}

template <typename Norm>
double RelativeError(const at::Tensor& actual, const at::Tensor& expected, const Norm& norm) {
  const std::optional<FinitePart> part = Subtract(actual, expected);
  if (!part) return kInfinity;
  if (expected.numel() == 0) return 0;
  const double scale = norm(part->expected);
  return norm(part->difference) / (scale > 0 ? scale : 1);
}

}  // namespace

double Tolerance(double noise, double floor) { return std::max(10 * noise, floor); }

double ElementTolerance(double noise) { return std::min(Tolerance(noise, 1e-6), 1e-5); }

void Comparison::Near(const std::string& what, const at::Tensor& actual, const at::Tensor& expected,
                      double tolerance) {
  const auto largest = [](const at::Tensor& t) { return t.abs().max().item<double>(); };
  Add({what, RelativeError(actual, expected, largest), tolerance});
}

void Comparison::Near(const std::string& what, double actual, double expected, double tolerance) {
  Near(what, at::scalar_tensor(actual, at::kDouble), at::scalar_tensor(expected, at::kDouble),
       tolerance);
}

void Comparison::NearL2(const std::string& what, const at::Tensor& actual,
                        const at::Tensor& expected, double tolerance) {
  const auto length = [](const at::Tensor& t) { return t.norm().item<double>(); };
  Add({what, RelativeError(actual, expected, length), tolerance});
}

void Comparison::Add(Measurement measurement) {
  if (measurement.tolerance > kWidestTolerance) {
    ++undecided_;
    return;
  }
  if (!measurement.ok()) failures_.push_back(measurement);
  if (count_++ == 0 || Strain(measurement) > Strain(worst_)) worst_ = std::move(measurement);
}

}  // namespace golden
