#include "quant/runtime/image_run.h"

#include <algorithm>

#include "quant/runtime/conv_kernels.h"
#include "quant/runtime/level_line.h"
#include "quant/runtime/row_kernels.h"

namespace quant::runtime {
namespace {

bool HasLines(const Target& target) { return !target.slope.empty(); }

void StoreFloats(const Target& target, const float* row, int64_t size, void* to) {
  const View& view = target.view;
  if (view.integers) {
    QuantizeRow(view.lattice, target.reciprocal, view.relu, row, size, static_cast<uint8_t*>(to));
  } else if (view.lattice.bits != 32) {
    QuantizeRow(view.lattice, view.relu, row, size, static_cast<float*>(to));
  } else if (view.relu) {
    ReluRow(row, size, static_cast<float*>(to));
  } else {
    std::copy_n(row, size, static_cast<float*>(to));
  }
}

// A row that is stored as the target says, of floats or, where it has lines, of sums.
void StoreRow(const Target& target, const float* row, const int32_t* sums, int64_t size,
              int64_t channels, void* to) {
  if (!HasLines(target)) return StoreFloats(target, row, size, to);
  const LineClamp clamp = ClampOfLine(target.view.lattice, target.view.relu);
  const LevelLine line = {.slope = target.slope.data(),
                          .intercept = target.intercept.data(),
                          .low = clamp.low,
                          .high = clamp.high};
  LevelRow(line, sums, size, channels, static_cast<uint8_t*>(to));
}

}  // namespace

void ImageRun::Run() {
  for (const Step& step : plan_.steps) RunStep(step);
}

void ImageRun::RunStep(const Step& step) {
  const Source& first = step.sources[0];
  const bool sums_suffice = step.kind == Step::Kind::kSame && first.kind == Source::Kind::kConv &&
                            std::all_of(step.targets.begin(), step.targets.end(), HasLines);
  float* const own_row = At<float>(plan_.rows[0]);
  const int64_t size = step.shape.width * step.shape.channels;
  for (int64_t y = 0; y < step.shape.height; ++y) {
    const float* row = own_row;
    if (step.kind == Step::Kind::kConcat) {
      ConcatRow(step, y, own_row);
    } else if (sums_suffice) {
      ComputeSums(first, y);
    } else {
      row = FloatRow(step, first, y, own_row);
    }
    if (step.kind == Step::Kind::kAdd) {
      AddRow(row, FloatRow(step, step.sources[1], y, At<float>(plan_.rows[1])), size, own_row);
      row = own_row;
    } else if (step.kind == Step::Kind::kRelu) {
      ReluRow(row, size, own_row);
      row = own_row;
    } else if (step.kind == Step::Kind::kNorm) {
      NormRow(step.scale.data(), step.shift.data(), row, size, step.shape.channels, own_row);
      row = own_row;
    }
    for (const Target& target : step.targets) Store(target, step.shape, row, y);
  }
}

const float* ImageRun::FloatRow(const Step& step, const Source& source, int64_t y, float* row) {
  switch (source.kind) {
    case Source::Kind::kStored:
      return In<float>(source.buffer) + y * step.shape.width * step.shape.channels;
    case Source::Kind::kConv:
      ComputeSums(source, y);
      FinishSums(plan_.convs[source.conv], row);
      break;
    case Source::Kind::kPool: {
      const Node& node = network_.nodes[source.node];
      PoolRow(node.op, node.window, plan_.shapes.values[node.inputs[0]], In<float>(source.buffer),
              y, row);
      break;
    }
    case Source::Kind::kGlobalMean:
      MeanRow(source, row);
      break;
    case Source::Kind::kLinear:
      LinearRow(source, row);
      break;
  }
  return row;
}

void ImageRun::ConcatRow(const Step& step, int64_t y, float* row) const {
  for (int64_t p = y * step.shape.width; p < (y + 1) * step.shape.width; ++p)
    for (const Source& source : step.sources)
      row = std::copy_n(In<float>(source.buffer) + p * source.channels, source.channels, row);
}

void ImageRun::MeanRow(const Source& source, float* row) const {
  const Shape& in = plan_.shapes.values[network_.nodes[source.node].inputs[0]];
  const float* const x = In<float>(source.buffer);
  double* const sums = At<double>(plan_.sums);
  std::fill_n(sums, in.channels, 0.0);
  for (int64_t p = 0; p < in.pixels(); ++p) AccumulateRow(x + p * in.channels, in.channels, sums);
  for (int64_t c = 0; c < in.channels; ++c)
    row[c] = static_cast<float>(sums[c] / static_cast<double>(in.pixels()));
}

void ImageRun::LinearRow(const Source& source, float* row) const {
  const Node& node = network_.nodes[source.node];
  const int64_t inputs = node.float_weights.size() / node.out_channels;
  const float* const x = In<float>(source.buffer);
  for (int64_t o = 0; o < node.out_channels; ++o) {
    double sum = 0;
    for (int64_t i = 0; i < inputs; ++i)
      sum += static_cast<double>(node.float_weights[o * inputs + i]) * x[i];
    row[o] = static_cast<float>(sum + node.shift[o]);
  }
}

void ImageRun::ComputeSums(const Source& source, int64_t y) {
  const uint8_t* const input = In<uint8_t>(source.buffer);
  const ConvPlan& conv = plan_.convs[source.conv];
  const ConvPlan& reader = source.inner < 0 ? conv : plan_.convs[source.inner];
  if (y == 0) Observe(reader, input, reader.geometry.in.height);
  ConvRow(reader, input, y);
  if (source.inner < 0) return;
  uint8_t* const levels = At<uint8_t>(plan_.inner_row);
  float* const row = At<float>(plan_.rows[1]);
  const Shape& shape = reader.geometry.out;
  if (!HasLines(source.inner_target)) FinishSums(reader, row);
  StoreRow(source.inner_target, row, At<int32_t>(plan_.sums), shape.width * shape.channels,
           shape.channels, levels);
  Observe(conv, levels, 1);
  ConvRow(conv, levels, 0);
}

void ImageRun::ConvRow(const ConvPlan& conv, const uint8_t* input, int64_t y) const {
  uint8_t* const scratch = At<uint8_t>(plan_.scratch);
  if (conv.integers) {
    IntConvRow(conv.geometry, conv.ints, input, y, scratch, At<int32_t>(plan_.sums));
  } else {
    FloatConvRow(conv.geometry, conv.floats.data(), reinterpret_cast<const float*>(input), y,
                 scratch, At<double>(plan_.sums));
  }
}

void ImageRun::FinishSums(const ConvPlan& conv, float* row) const {
  const Finish finish = {.scale = conv.scale.data(),
                         .norm_scale = conv.norm_scale.empty() ? nullptr : conv.norm_scale.data(),
                         .norm_shift = conv.norm_shift.data()};
  const Shape& shape = conv.geometry.out;
  const int64_t size = shape.width * shape.channels;
  if (conv.integers) {
    FinishRow(finish, At<int32_t>(plan_.sums), size, shape.channels, row);
  } else {
    FinishRow(finish, At<double>(plan_.sums), size, shape.channels, row);
  }
}

void ImageRun::Store(const Target& target, const Shape& shape, const float* row, int64_t y) const {
  const int64_t size = shape.width * shape.channels;
  const auto* const sums = At<int32_t>(plan_.sums);
  uint8_t* const to = In<uint8_t>(target.buffer) +
                      (y * shape.width * target.stride + target.offset) * target.view.element();
  if (target.stride == shape.channels) {
    StoreRow(target, row, sums, size, shape.channels, to);
    return;
  }
  // Where the pixels of others lie between, nothing is written but this.
  uint8_t* const dense = At<uint8_t>(plan_.level_row);
  StoreRow(target, row, sums, size, shape.channels, dense);
  if (target.view.integers) {
    ScatterRow(dense, shape.width, shape.channels, target.stride, to);
  } else {
    ScatterRow(reinterpret_cast<const float*>(dense), shape.width, shape.channels, target.stride,
               reinterpret_cast<float*>(to));
  }
}

void ImageRun::Observe(const ConvPlan& conv, const uint8_t* rows, int64_t count) {
  if (observer_ == nullptr || !conv.integers) return;
  const Shape& shape = conv.geometry.in;
  std::vector<int16_t>& levels = observed_[conv.node];
  const Node& node = network_.nodes[conv.node];
  for (int64_t i = 0; i < count * shape.width * shape.channels; ++i)
    levels.push_back(static_cast<int16_t>(rows[i] + node.activation.low));
  if (levels.size() == static_cast<size_t>(shape.size())) (*observer_)(node, shape, levels.data());
}

}  // namespace quant::runtime
