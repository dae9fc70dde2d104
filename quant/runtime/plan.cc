#include "quant/runtime/plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "quant/runtime/arithmetic.h"

namespace quant::runtime {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int32_t kMostThresholds = 15;  // Of 4 bits; with more, floats are quicker.

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool OnIntegers(const Node& node) { return node.activation.bits != 32 && node.weight_bits != 32; }

// How a node wants its inputs.
View InputView(const Node& node) {
  if (node.op == Op::kRelu) return {.relu = true};
  if (node.op != Op::kConv) return {};
  if (node.activation.bits == 32) return {.relu = node.relu};
  // Levels from 0 on imply the ReLU.
  return {.relu = node.relu && node.activation.low < 0,
          .lattice = node.activation,
          .integers = OnIntegers(node)};
}

template <typename T>
std::vector<T> Padded(const std::vector<float>& values, int64_t channels) {
  std::vector<T> padded(values.empty() ? 0 : PaddedChannels(channels));
  for (size_t i = 0; i < values.size(); ++i) padded[i] = values[i];
  return padded;
}

int32_t LevelOfSum(const ConvWeights& conv, const View& view, int64_t channel, double sum) {
  float y = Scaled(sum, conv.scale[channel]);
  if (!conv.norm_scale.empty())
    y = Normalized(y, conv.norm_scale[channel], conv.norm_shift[channel]);
  if (view.relu && !(y > 0)) y = 0;
  return LevelOf(y, view.lattice);
}

// The level rises, or falls, with the sum: so each begins at a sum, which bisection finds.
void FindThresholds(const View& view, ConvWeights& conv) {
  const int64_t channels = conv.geometry.out.channels, padded = PaddedChannels(channels);
  conv.num_thresholds = view.lattice.high - view.lattice.low;
  conv.sign.assign(padded, 1);
  conv.thresholds.assign(conv.num_thresholds * padded, 0);
  for (int64_t c = 0; c < channels; ++c) {
    const auto level = [&](int64_t sum) { return LevelOfSum(conv, view, c, sum); };
    const int32_t sign = level(kMostSum) < level(-kMostSum) ? -1 : 1;
    conv.sign[c] = sign;
    for (int32_t k = 0; k < conv.num_thresholds; ++k) {
      int64_t below = -kMostSum - 1, from = kMostSum;  // From here on, or never.
      while (from - below > 1) {
        const int64_t middle = below + (from - below) / 2;
        (level(sign * middle) > view.lattice.low + k ? from : below) = middle;
      }
      conv.thresholds[k * padded + c] = static_cast<int32_t>(below);
    }
  }
}

class Planner {
 public:
  explicit Planner(const PackedNetwork& network) : network_(network) {}

  absl::StatusOr<Plan> Run() {
    ASSIGN_OR_RETURN(plan_.shapes, InferShapes(network_));
    FindUses();
    plan_.input = AddBuffer(0, View());
    Convert(0);
    for (size_t i = 0; i < network_.nodes.size(); ++i)
      if (needed_[i + 1]) RETURN_IF_ERROR(AddNode(i));
    plan_.logits = BufferOf(network_.nodes.size(), View());
    plan_.buffers[plan_.logits].last = plan_.steps.size();
    RETURN_IF_ERROR(PlaceBuffers());
    return std::move(plan_);
  }

 private:
  struct Stored {
    View view = {};
    int32_t buffer = -1;
  };

  // Which views of each value are used by what leads to the logits.
  void FindUses() {
    stored_.resize(plan_.shapes.values.size());
    needed_.assign(plan_.shapes.values.size(), false);
    needed_.back() = true;
    stored_.back().push_back({View()});
    for (size_t i = network_.nodes.size(); i-- > 0;) {
      const Node& node = network_.nodes[i];
      if (!needed_[i + 1]) continue;
      const View view = InputView(node);
      for (const uint32_t input : node.inputs) {
        needed_[input] = true;
        auto& views = stored_[input];
        if (std::none_of(views.begin(), views.end(),
                         [&](const Stored& stored) { return stored.view == view; }))
          views.push_back({view});
      }
    }
  }

  int32_t AddBuffer(size_t value, const View& view) {
    const int64_t element = view.integers ? sizeof(int16_t) : sizeof(float);
    const int32_t step = plan_.steps.size();
    plan_.buffers.push_back(
        {.bytes = Aligned((plan_.shapes.values[value].size() + kSlack) * element),
         .first = step,
         .last = step});
    const int32_t buffer = plan_.buffers.size() - 1;
    for (Stored& stored : stored_[value])
      if (stored.view == view) return stored.buffer = buffer;
    stored_[value].push_back({view, buffer});
    return buffer;
  }

  int32_t BufferOf(size_t value, const View& view) const {
    for (const Stored& stored : stored_[value])
      if (stored.view == view) return stored.buffer;
    return -1;
  }

  Step& AddStep(Step step) {
    for (const int32_t input : step.inputs) plan_.buffers[input].last = plan_.steps.size();
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back();
  }

  // The views of a value that is stored as it is.
  void Convert(size_t value) {
    const int32_t from = BufferOf(value, View());
    for (size_t i = 0; i < stored_[value].size(); ++i) {
      const View view = stored_[value][i].view;
      if (view.IsValueItself()) continue;
      const int32_t to = AddBuffer(value, view);
      AddStep({.kind = Step::Kind::kConvert,
               .inputs = {from},
               .output = to,
               .view = view,
               .shape = plan_.shapes.values[value]});
    }
  }

  absl::Status AddNode(size_t i) {
    const Node& node = network_.nodes[i];
    const size_t value = i + 1;
    Step step = {.kind = Step::Kind::kConvert,
                 .node = static_cast<int32_t>(i),
                 .shape = plan_.shapes.values[value]};
    for (const uint32_t input : node.inputs)
      step.inputs.push_back(BufferOf(input, InputView(node)));
    const std::vector<Stored>& views = stored_[value];
    const bool straight = node.op == Op::kConv && views.size() == 1;
    if (straight) step.view = views[0].view;
    switch (node.op) {
      case Op::kConv:
        step.kind = Step::Kind::kConv;
        step.weights = plan_.convs.size();
        RETURN_IF_ERROR(AddConv(node, step.view));
        break;
      case Op::kRelu:
        // Its input is stored so; this copies it.
        step.view = View();
        break;
      case Op::kMaxPool:
      case Op::kAvgPool:
        step.kind = Step::Kind::kPool;
        break;
      case Op::kAdd:
        step.kind = Step::Kind::kAdd;
        break;
      case Op::kConcat:
        step.kind = Step::Kind::kConcat;
        break;
      case Op::kGlobalMean:
        step.kind = Step::Kind::kGlobalMean;
        break;
      case Op::kLinear:
        step.kind = Step::Kind::kLinear;
        break;
    }
    step.output = AddBuffer(value, step.view);
    AddStep(std::move(step));
    if (!straight) Convert(value);
    return absl::OkStatus();
  }

  absl::Status AddConv(const Node& node, const View& view) {
    ConvWeights conv;
    conv.integers = OnIntegers(node);
    conv.geometry = {.in = plan_.shapes.values[node.inputs[0]],
                     .out = plan_.shapes.values[&node - network_.nodes.data() + 1],
                     .window = node.window,
                     .groups = node.groups};
    const int64_t size =
        conv.integers ? PackedIntWeights(conv.geometry) : PackedFloatWeights(conv.geometry);
    weight_bytes_ += size * 4;
    sums_ = std::max(sums_, conv.geometry.out.width * conv.geometry.sum_stride());
    if (weight_bytes_ > kMostBytes || sums_ > kMostBytes / 8) return TooLarge();
    if (conv.integers) {
      conv.ints.resize(size + kSlack);
      PackIntWeights(conv.geometry, node.weights.data(), conv.ints.data());
    } else {
      conv.floats.resize(size + kSlack);
      const std::vector<float> integers(node.weights.begin(), node.weights.end());
      PackFloatWeights(conv.geometry,
                       node.weight_bits == 32 ? node.float_weights.data() : integers.data(),
                       conv.floats.data());
    }
    const int64_t channels = node.out_channels;
    const double step = node.activation.bits == 32 ? 1 : node.activation.step;
    conv.scale.resize(PaddedChannels(channels));
    for (int64_t c = 0; c < channels; ++c) {
      const size_t unit = node.units.size() == 1 ? 0 : c;
      conv.scale[c] = step * (node.units.empty() ? 1.0 : node.units[unit]);
    }
    conv.norm_scale = Padded<float>(node.scale, channels);
    conv.norm_shift = Padded<float>(node.shift, channels);
    if (conv.integers && view.integers && view.lattice.high - view.lattice.low <= kMostThresholds)
      FindThresholds(view, conv);
    plan_.convs.push_back(std::move(conv));
    return absl::OkStatus();
  }

  static absl::Status TooLarge() {
    return absl::InvalidArgumentError(
        absl::StrCat("an image needs more than ", kMostBytes >> 30, " GiB of memory"));
  }

  // Each where nothing lies that is used at the same time, as low as possible.
  absl::Status PlaceBuffers() {
    std::vector<const Buffer*> placed;  // By offset.
    int64_t end = 0;
    for (Buffer& buffer : plan_.buffers) {
      int64_t offset = 0;
      for (const Buffer* other : placed) {
        if (other->last < buffer.first || buffer.last < other->first) continue;
        if (offset + buffer.bytes <= other->offset) break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      buffer.offset = offset;
      end = std::max(end, offset + buffer.bytes);
      if (end > kMostBytes) return TooLarge();
      placed.insert(
          std::upper_bound(placed.begin(), placed.end(), &buffer,
                           [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
          &buffer);
    }
    const auto add = [&](int64_t elements, int64_t size) {
      return std::exchange(end, end + Aligned((elements + kSlack) * size));
    };
    int64_t widest_row = 0, most_channels = 0;
    for (const Step& step : plan_.steps)
      widest_row = std::max(widest_row, step.shape.width * step.shape.channels);
    for (const Shape& shape : plan_.shapes.values)
      most_channels = std::max(most_channels, shape.channels);
    plan_.sums = add(sums_, sizeof(double));
    plan_.row = add(widest_row, sizeof(float));
    plan_.zeros = add(most_channels, sizeof(float));
    plan_.workspace_bytes = end;
    return end > kMostBytes ? TooLarge() : absl::OkStatus();
  }

  const PackedNetwork& network_;
  Plan plan_;
  std::vector<std::vector<Stored>> stored_;  // Of each value.
  std::vector<bool> needed_;
  int64_t weight_bytes_ = 0;
  int64_t sums_ = 0;  // Of the widest row.
};

}  // namespace

absl::StatusOr<Plan> MakePlan(const PackedNetwork& network) {
  RETURN_IF_ERROR(CheckNetwork(network));
  return Planner(network).Run();
}

}  // namespace quant::runtime
