#include "quant/runtime/conv_plan.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "quant/runtime/level_line.h"

namespace quant::runtime {
namespace {

double ScaleOf(const Node& node, int64_t channel) {
  const double step = node.activation.bits == 32 ? 1 : node.activation.step;
  const size_t unit = node.units.size() == 1 ? 0 : channel;
  return step * (node.units.empty() ? 1.0 : node.units[unit]);
}

// [0 … channels) over and over.
template <typename T, typename F>
std::vector<T> ForRows(int64_t channels, const F& number) {
  std::vector<T> numbers(PaddedChannels(RowUnit(channels)));
  for (int64_t i = 0; i < RowUnit(channels); ++i)
    numbers[i] = i < channels ? number(i) : numbers[i - channels];
  return numbers;
}

ChannelLevels LevelsOfChannel(const Node& node, const View& view, int64_t channel) {
  ChannelLevels levels = {
      .scale = ScaleOf(node, channel), .relu = view.relu, .lattice = view.lattice};
  if (!node.scale.empty()) {
    levels.normalized = true;
    levels.norm_scale = node.scale[channel];
    levels.norm_shift = node.shift[channel];
  }
  const size_t per_channel = node.weights.size() / node.out_channels;
  int64_t sum = 0;
  for (size_t i = 0; i < per_channel; ++i) sum += std::abs(node.weights[channel * per_channel + i]);
  levels.most = sum * std::max(-node.activation.low, node.activation.high);
  return levels;
}

bool SetLines(const Node& node, Target& target) {
  std::vector<Line> lines;
  for (int64_t c = 0; c < node.out_channels; ++c) {
    const std::optional<Line> line = FindLevelLine(LevelsOfChannel(node, target.view, c));
    if (!line) return false;
    lines.push_back(*line);
  }
  target.slope = ForRows<float>(node.out_channels, [&](int64_t c) { return lines[c].slope; });
  target.intercept =
      ForRows<float>(node.out_channels, [&](int64_t c) { return lines[c].intercept; });
  return true;
}

bool HalfBytes(const Node& node, const ConvGeometry& geometry) {
  return FitHalfBytes(geometry, node.weight_bits, node.code);
}

}  // namespace

bool OnIntegers(const Node& node) { return node.activation.bits != 32 && node.weight_bits != 32; }

int64_t WeightBytes(const Node& node, const ConvGeometry& geometry) {
  return OnIntegers(node) ? NumPackedInts(geometry, HalfBytes(node, geometry))
                          : NumPackedFloats(geometry) * static_cast<int64_t>(sizeof(float));
}

ConvPlan MakeConvPlan(const Node& node, int32_t index, const ConvGeometry& geometry) {
  ConvPlan conv = {.node = index, .geometry = geometry, .integers = OnIntegers(node)};
  if (conv.integers) {
    conv.ints = PackIntWeights(geometry, node.weights, HalfBytes(node, geometry),
                               node.activation.low, node.activation.high);
  } else if (node.weight_bits == 32) {
    conv.floats = PackFloatWeights(geometry, node.float_weights);
  } else {
    conv.floats = PackFloatWeights(geometry, {node.weights.begin(), node.weights.end()});
  }
  return conv;
}

void SetFinish(const Node& node, ConvPlan& conv, Target& target) {
  if (conv.integers && target.view.integers && SetLines(node, target)) return;
  SetFinish(node, conv);
}

void SetFinish(const Node& node, ConvPlan& conv) {
  if (!conv.scale.empty()) return;
  conv.scale = ForRows<double>(node.out_channels, [&](int64_t c) { return ScaleOf(node, c); });
  if (node.scale.empty()) return;
  conv.norm_scale = ForRows<float>(node.out_channels, [&](int64_t c) { return node.scale[c]; });
  conv.norm_shift = ForRows<float>(node.out_channels, [&](int64_t c) { return node.shift[c]; });
}

void SetNorm(const Node& node, Step& step) {
  const auto for_rows = [&](const std::vector<float>& numbers) {
    return ForRows<float>(step.shape.channels, [&](int64_t c) { return numbers[c]; });
  };
  step.scale = for_rows(node.scale);
  step.shift = for_rows(node.shift);
}

}  // namespace quant::runtime
