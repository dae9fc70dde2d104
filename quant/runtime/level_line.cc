#include "quant/runtime/level_line.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "quant/runtime/arithmetic.h"

namespace quant::runtime {
namespace {

constexpr int kUnits = 16;  // In the last place, around a middle.

constexpr int kMostSteps = 64;  // Between where a step is looked for and where it is.

class Search {
 public:
  explicit Search(const ChannelLevels& channel)
      : channel_(channel), clamp_(ClampOfLine(channel.lattice, channel.relu)) {
    const double step = channel.lattice.step;
    slope_ = channel.scale / step * (channel.normalized ? channel.norm_scale : 1.0);
    middle_ = (channel.normalized ? channel.norm_shift / step : 0.0) - channel.lattice.low;
    sign_ = slope_ < 0 ? -1 : 1;
  }

  std::optional<Line> Run() {
    const float largest = Scaled(static_cast<double>(channel_.most), channel_.scale);
    if (!std::isfinite(slope_) || !std::isfinite(middle_) || !std::isfinite(largest))
      return std::nullopt;
    slope_ = static_cast<float>(std::abs(slope_));
    const int32_t last = static_cast<int32_t>(clamp_.high);
    const int64_t most = channel_.most;
    for (int32_t level = static_cast<int32_t>(clamp_.low) + 1; level <= last; ++level) {
      if (!FindStep(level)) return std::nullopt;
      const int64_t step = steps_.back();
      if (step <= most) least_ = std::max(least_, level - 0.5 - slope_ * std::max(step, -most));
      if (step > -most) below_ = std::min(below_, level - 0.5 - slope_ * std::min(step - 1, most));
    }
    Line line = {.slope = static_cast<float>(sign_ * slope_)};
    if (std::isinf(least_) || std::isinf(below_)) {
      line.intercept = static_cast<float>(std::isinf(least_) ? std::min(below_ - 0.5, middle_)
                                                             : std::max(least_ + 0.5, middle_));
    } else {
      line.intercept = static_cast<float>((least_ + below_) / 2);
    }
    if (!Agrees(line)) return std::nullopt;
    return line;
  }

 private:
  // Of sign·sum, with which it rises.
  int32_t LevelAt(int64_t sum) const {
    float y = Scaled(static_cast<double>(sign_ * sum), channel_.scale);
    if (channel_.normalized) y = Normalized(y, channel_.norm_scale, channel_.norm_shift);
    if (channel_.relu && !(y > 0)) y = 0;
    return LevelOf(y, channel_.lattice) - channel_.lattice.low;
  }

  // The least sum, from −most to most + 1, with this level or a higher one.
  bool FindStep(int32_t level) {
    const int64_t most = channel_.most;
    const double guess = (level - 0.5 - middle_) / slope_;
    int64_t step = std::isnan(guess) ? -most
                                     : static_cast<int64_t>(std::ceil(std::clamp<double>(
                                           guess, -static_cast<double>(most), most + 1.0)));
    int tries = 0;
    for (; step > -most && LevelAt(step - 1) >= level; --step)
      if (++tries > kMostSteps) return false;
    for (; step <= most && LevelAt(step) < level; ++step)
      if (++tries > kMostSteps) return false;
    steps_.push_back(step);
    return true;
  }

  bool AgreesAt(const Line& line, int64_t sum) const {
    const float x = static_cast<float>(sign_ * sum);
    const auto level = [&](float y) {
      return static_cast<int32_t>(std::nearbyint(std::min(std::max(y, clamp_.low), clamp_.high)));
    };
    const int32_t expected = LevelAt(sum);
    const float product = x * line.slope;
    return level(std::fma(x, line.slope, line.intercept)) == expected &&
           level(product + line.intercept) == expected;
  }

  bool Agrees(const Line& line) const {
    const int64_t most = channel_.most;
    if (!std::isfinite(line.intercept) || !AgreesAt(line, -most) || !AgreesAt(line, most))
      return false;
    return std::all_of(steps_.begin(), steps_.end(), [&](int64_t step) {
      return (step > most || AgreesAt(line, step)) && (step <= -most || AgreesAt(line, step - 1));
    });
  }

  const ChannelLevels& channel_;
  const LineClamp clamp_;
  double slope_, middle_;
  int64_t sign_;
  std::vector<int64_t> steps_;
  double least_ = -std::numeric_limits<double>::infinity();
  double below_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::optional<Line> FindLevelLine(const ChannelLevels& channel) { return Search(channel).Run(); }

float FindReciprocal(const ActivationLattice& lattice) {
  const float step = lattice.step, reciprocal = 1 / step;
  constexpr float kLeast = 1e-30f;  // Nothing is subnormal then.
  if (step < kLeast || reciprocal < kLeast) return 0;
  for (int32_t level = lattice.low; level < lattice.high; ++level) {
    float x = (static_cast<float>(level) + 0.5f) * step;
    for (int i = 0; i < kUnits; ++i) x = std::nextafter(x, -INFINITY);
    for (int i = 0; i < 2 * kUnits; ++i, x = std::nextafter(x, INFINITY)) {
      const float quotient = x * reciprocal;
      const float rest = std::fma(-quotient, step, x);
      if (std::nearbyint(std::fma(rest, reciprocal, quotient)) != LevelOf(x, lattice)) return 0;
    }
  }
  return reciprocal;
}

LineClamp ClampOfLine(const ActivationLattice& lattice, bool relu) {
  return {.low = static_cast<float>(relu ? -lattice.low : 0),
          .high = static_cast<float>(lattice.high - lattice.low)};
}

}  // namespace quant::runtime
