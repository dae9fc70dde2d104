#include "tests/golden/post_training_groups.h"

#include <cstdint>
#include <string>

#include "ATen/ops/isfinite.h"
#include "ATen/ops/where.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "quant/post_training.h"

namespace golden {
namespace {

// Where the reference divides by zero (constant tensors) or takes artanh of 1, ours is finite.
void NearWhereFinite(const std::string& what, const at::Tensor& actual, const at::Tensor& expected,
                     double tolerance, Comparison& comparison) {
  comparison.Equal(what + " is finite", at::isfinite(actual).all().item<bool>(), true);
  const at::Tensor finite = at::isfinite(expected);
  comparison.Near(what, actual.masked_select(finite), expected.masked_select(finite), tolerance);
}

// Keys <case>/<method><bits>[/out] and <case>/integral[_overflow<rate>] for input <case>/input.
void CheckQuantizers(const GoldenFile& file, Comparison& comparison) {
  constexpr double kTolerance = 1e-6;
  for (const auto& [key, expected] : file.tensors) {
    const size_t slash = key.find('/');
    const std::string what = key.substr(slash + 1);
    const at::Tensor& x = file.Tensor(key.substr(0, slash) + "/input");
    if (absl::StartsWith(what, "integral")) {
      const size_t rate_at = what.find("overflow");
      const double rate = rate_at == std::string::npos ? 0 : std::stod(what.substr(rate_at + 8));
      comparison.Equal(key, quant::IntegralBits(x, rate), expected.item<int64_t>());
      continue;
    }
    const size_t digits = what.find_first_of("0123456789");
    const absl::StatusOr<quant::PostTraining> method =
        quant::ParsePostTraining(what.substr(0, digits));
    if (!method.ok()) continue;  // The input; "loglinear", which no published pipeline calls.
    const int64_t bits = digits == std::string::npos ? 1 : std::stoll(what.substr(digits));
    if (absl::EndsWith(what, "/sf")) {
      const int64_t scale = bits - 1 - quant::IntegralBits(x, 0);
      comparison.Equal(key, static_cast<float>(scale), expected.item<float>());
    } else {
      NearWhereFinite(key, quant::QuantizePostTraining(x, *method, bits), expected, kTolerance,
                      comparison);
    }
  }
}

}  // namespace

std::vector<Group> PostTrainingGroups() { return {{"ptq_quantizers\\.pt", CheckQuantizers}}; }

}  // namespace golden
