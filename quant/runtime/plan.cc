#include "quant/runtime/plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "quant/runtime/conv_plan.h"
#include "quant/runtime/level_line.h"

namespace quant::runtime {
namespace {

constexpr int64_t kAlignment = 64;
constexpr size_t kMostSlices = 8;  // Ways to store a concatenation in parts.

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// How a node wants its inputs.
View InputView(const Node& node) {
  if (node.op != Op::kConv) return {};
  if (node.activation.bits == 32) return {.relu = node.relu};
  // Levels from 0 on imply the ReLU.
  return {.relu = node.relu && node.activation.low < 0,
          .lattice = node.activation,
          .integers = OnIntegers(node)};
}

// What is computed of values that are stored, or come row by row; kSame of all else.
Step::Kind KindOf(Op op) {
  switch (op) {
    case Op::kAdd:
      return Step::Kind::kAdd;
    case Op::kConcat:
      return Step::Kind::kConcat;
    case Op::kRelu:
      return Step::Kind::kRelu;
    case Op::kNorm:
      return Step::Kind::kNorm;
    default:
      return Step::Kind::kSame;
  }
}

float ReciprocalOf(const View& view) { return view.integers ? FindReciprocal(view.lattice) : 0; }

class Planner {
 public:
  explicit Planner(const PackedNetwork& network) : network_(network) {}

  absl::StatusOr<Plan> Run() {
    ASSIGN_OR_RETURN(plan_.shapes, InferShapes(network_));
    CountUses();
    const size_t last = network_.nodes.size();
    targets_.resize(last + 1);
    inlined_.assign(last + 1, false);
    joined_.assign(last + 1, false);
    plan_.logits = AddTarget(last, View());
    for (size_t i = last; i-- > 0;)
      if (uses_[i + 1] > 0) SetTargets(i);
    RETURN_IF_ERROR(AddImage());
    for (size_t i = 0; i < last; ++i)
      if (uses_[i + 1] > 0 && !inlined_[i + 1] && !joined_[i + 1]) RETURN_IF_ERROR(AddNode(i));
    Use(plan_.logits);
    RETURN_IF_ERROR(PlaceBuffers());
    return std::move(plan_);
  }

 private:
  const Shape& ShapeOf(size_t value) const { return plan_.shapes.values[value]; }
  const Node& Producer(size_t value) const { return network_.nodes[value - 1]; }

  // By what leads to the logits.
  void CountUses() {
    uses_.assign(network_.nodes.size() + 1, 0);
    uses_.back() = 1;
    for (size_t i = network_.nodes.size(); i-- > 0;)
      if (uses_[i + 1] > 0)
        for (const uint32_t input : network_.nodes[i].inputs) ++uses_[input];
  }

  // Whether its rows may be computed where they are used.
  bool IsInner(size_t value) const {
    return value > 0 && uses_[value] == 1 && Producer(value).op == Op::kConv;
  }

  ConvGeometry GeometryOf(size_t value) const {
    const Node& node = Producer(value);
    return {.in = ShapeOf(node.inputs[0]),
            .out = ShapeOf(value),
            .window = node.window,
            .groups = node.groups};
  }

  int32_t AddTarget(size_t value, const View& view) {
    const int32_t known = BufferOf(value, view);
    if (known >= 0) return known;
    const Shape& shape = ShapeOf(value);
    plan_.buffers.push_back({.bytes = Aligned((shape.size() + kSlack) * view.element())});
    const int32_t buffer = plan_.buffers.size() - 1;
    targets_[value].push_back({.view = view,
                               .buffer = buffer,
                               .stride = shape.channels,
                               .reciprocal = ReciprocalOf(view)});
    return buffer;
  }

  // Of the whole value.
  int32_t BufferOf(size_t value, const View& view) const {
    for (const Target& target : targets_[value])
      if (target.view == view && target.offset == 0 && target.stride == ShapeOf(value).channels)
        return target.buffer;
    return -1;
  }

  // What node i wants its inputs to be stored as.
  void SetTargets(size_t i) {
    const Node& node = network_.nodes[i];
    const size_t value = i + 1;
    if (node.op == Op::kConcat && targets_[value].size() <= kMostSlices) {
      joined_[value] = true;
      int64_t offset = 0;
      for (const uint32_t input : node.inputs) {
        for (Target target : targets_[value]) {
          target.offset += offset;
          targets_[input].push_back(std::move(target));
        }
        offset += ShapeOf(input).channels;
      }
      return;
    }
    for (const uint32_t input : node.inputs) {
      if (node.op == Op::kAdd && (IsInner(input) || IsInnerPool(input))) {
        inlined_[input] = true;
      } else if (node.op == Op::kConv && IsInner(input) && GeometryOf(value).pointwise() &&
                 !TakesInner(input)) {
        inlined_[input] = true;
      } else {
        AddTarget(input, InputView(node));
      }
    }
  }
  bool IsInnerPool(size_t value) const {
    if (value == 0 || uses_[value] != 1) return false;
    return IsPool(Producer(value).op);
  }
  // A convolution that would itself take its input by rows.
  bool TakesInner(size_t value) const {
    return GeometryOf(value).pointwise() && IsInner(Producer(value).inputs[0]);
  }

  void Use(int32_t buffer) {
    if (buffer < 0) return;
    Buffer& used = plan_.buffers[buffer];
    const int32_t step = plan_.steps.size();
    if (used.first < 0) used.first = step;
    used.last = step;
  }

  absl::Status AddImage() {
    plan_.input = AddTarget(0, View());
    Use(plan_.input);
    Step step = {.sources = {{.buffer = plan_.input}}, .shape = ShapeOf(0)};
    for (const Target& target : targets_[0])
      if (target.buffer != plan_.input) step.targets.push_back(target);
    return AddStep(std::move(step));
  }

  absl::Status AddStep(Step step) {
    if (step.targets.empty()) return absl::OkStatus();
    for (const Source& source : step.sources) Use(source.buffer);
    for (Target& target : step.targets) {
      Use(target.buffer);
      Widen(scattered_,
            target.stride == step.shape.channels ? 0 : step.shape.width * step.shape.channels);
    }
    Widen(widest_, step.shape.width * step.shape.channels);
    if (step.kind == Step::Kind::kSame && step.sources[0].kind == Source::Kind::kConv) {
      ConvPlan& conv = plan_.convs[step.sources[0].conv];
      for (Target& target : step.targets) SetFinish(network_.nodes[conv.node], conv, target);
    } else {
      for (const Source& source : step.sources)
        if (source.kind == Source::Kind::kConv)
          SetFinish(network_.nodes[plan_.convs[source.conv].node], plan_.convs[source.conv]);
    }
    plan_.steps.push_back(std::move(step));
    return absl::OkStatus();
  }

  absl::Status AddNode(size_t i) {
    const Node& node = network_.nodes[i];
    const size_t value = i + 1;
    Step step = {.targets = std::move(targets_[value]), .shape = ShapeOf(value)};
    targets_[value] = step.targets;  // By which its users find it.
    if (const auto kind = KindOf(node.op); kind != Step::Kind::kSame) {
      step.kind = kind;
      if (node.op == Op::kNorm) SetNorm(node, step);
      for (const uint32_t input : node.inputs) {
        if (inlined_[input]) {
          ASSIGN_OR_RETURN(Source source, SourceOf(input));
          step.sources.push_back(std::move(source));
        } else {
          step.sources.push_back(
              {.buffer = BufferOf(input, View()), .channels = ShapeOf(input).channels});
        }
      }
    } else {
      ASSIGN_OR_RETURN(Source source, SourceOf(value));
      step.sources.push_back(std::move(source));
    }
    return AddStep(std::move(step));
  }

  // Computes the value, of a node with one input.
  absl::StatusOr<Source> SourceOf(size_t value) {
    const Node& node = Producer(value);
    const size_t input = node.inputs[0];
    Source source = {.node = static_cast<int32_t>(value - 1)};
    if (node.op != Op::kConv) {
      source.kind = node.op == Op::kGlobalMean ? Source::Kind::kGlobalMean
                    : node.op == Op::kLinear   ? Source::Kind::kLinear
                                               : Source::Kind::kPool;
      source.buffer = BufferOf(input, View());
      // A mean of pixels is summed in float64.
      Widen(sums_, Producer(value).op == Op::kGlobalMean ? ShapeOf(value).channels : 0);
      return source;
    }
    source.kind = Source::Kind::kConv;
    if (inlined_[input]) {
      ASSIGN_OR_RETURN(source.inner, AddConv(input));
      ConvPlan& inner = plan_.convs[source.inner];
      source.inner_target = {.view = InputView(node),
                             .stride = ShapeOf(input).channels,
                             .reciprocal = ReciprocalOf(InputView(node))};
      SetFinish(Producer(input), inner, source.inner_target);
      const int64_t size = ShapeOf(input).width * ShapeOf(input).channels;
      Widen(inner_, size * source.inner_target.view.element());
      Widen(widest_, size);
      const size_t from = Producer(input).inputs[0];
      source.buffer = BufferOf(from, InputView(Producer(input)));
    } else {
      source.buffer = BufferOf(input, InputView(node));
    }
    ASSIGN_OR_RETURN(source.conv, AddConv(value));
    return source;
  }

  absl::StatusOr<int32_t> AddConv(size_t value) {
    const Node& node = Producer(value);
    const ConvGeometry geometry = GeometryOf(value);
    plan_.weight_bytes += WeightBytes(node, geometry);
    const int64_t row = geometry.out.width * geometry.out.channels;
    const int64_t scratch =
        OnIntegers(node) ? IntScratchBytes(geometry) : FloatScratchBytes(geometry);
    if (plan_.weight_bytes > kMostBytes || scratch > kMostBytes / 16) return TooLarge();
    // Sums of integers are half as wide.
    Widen(sums_, OnIntegers(node) ? (row + 1) / 2 : row);
    Widen(scratch_, scratch);
    plan_.convs.push_back(MakeConvPlan(node, static_cast<int32_t>(value - 1), geometry));
    return static_cast<int32_t>(plan_.convs.size() - 1);
  }

  static void Widen(int64_t& most, int64_t value) { most = std::max(most, value); }

  static absl::Status TooLarge() {
    return absl::InvalidArgumentError(
        absl::StrCat("an image needs more than ", kMostBytes >> 30, " GiB of memory"));
  }

  // Each where nothing lies that is used at the same time, as low as possible, large ones first.
  absl::Status PlaceBuffers() {
    std::vector<Buffer*> order;
    for (Buffer& buffer : plan_.buffers)
      if (buffer.first >= 0) order.push_back(&buffer);
    std::stable_sort(order.begin(), order.end(),
                     [](const Buffer* a, const Buffer* b) { return a->bytes > b->bytes; });
    std::vector<const Buffer*> placed;  // By offset.
    int64_t end = 0;
    for (Buffer* buffer : order) {
      int64_t offset = 0;
      for (const Buffer* other : placed) {
        if (other->last < buffer->first || buffer->last < other->first) continue;
        if (offset + buffer->bytes <= other->offset) break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      buffer->offset = offset;
      end = std::max(end, offset + buffer->bytes);
      if (end > kMostBytes) return TooLarge();
      placed.insert(
          std::upper_bound(placed.begin(), placed.end(), buffer,
                           [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
          buffer);
    }
    const auto add = [&](int64_t elements, int64_t size) {
      return std::exchange(end, end + Aligned((elements + kSlack) * size));
    };
    plan_.sums = add(sums_, sizeof(double));
    plan_.scratch = add(scratch_, 1);
    plan_.inner_row = add(inner_, sizeof(float));
    for (int64_t& row : plan_.rows) row = add(widest_, sizeof(float));
    plan_.level_row = add(scattered_, sizeof(float));
    plan_.workspace_bytes = end;
    return end > kMostBytes ? TooLarge() : absl::OkStatus();
  }

  const PackedNetwork& network_;
  Plan plan_;
  std::vector<std::vector<Target>> targets_;  // Of each value.
  std::vector<int64_t> uses_;
  std::vector<bool> inlined_;  // Computed where it is used.
  std::vector<bool> joined_;   // A concatenation that is stored in parts.
  int64_t sums_ = 0, scratch_ = 0, inner_ = 0, widest_ = 0, scattered_ = 0;
};

}  // namespace

absl::StatusOr<Plan> MakePlan(const PackedNetwork& network) {
  RETURN_IF_ERROR(CheckNetwork(network));
  return Planner(network).Run();
}

}  // namespace quant::runtime
