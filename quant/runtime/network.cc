#include "quant/runtime/network.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "quant/runtime/kernels.h"
#include "quant/runtime/packed_reader.h"

namespace quant::runtime {
namespace {

constexpr std::align_val_t kWorkspaceAlignment{64};

struct Deleter {
  void operator()(uint8_t* memory) const { operator delete(memory, kWorkspaceAlignment); }
};

}  // namespace

struct Network::Workspace {
  // Zeros, which stay where the kernels want them.
  explicit Workspace(size_t bytes)
      : memory(static_cast<uint8_t*>(operator new(bytes, kWorkspaceAlignment))) {
    std::memset(memory.get(), 0, bytes);
  }
  std::unique_ptr<uint8_t, Deleter> memory;
};

absl::StatusOr<std::unique_ptr<Network>> Network::Load(const std::string& path) {
  ASSIGN_OR_RETURN(PackedNetwork packed, ReadPackedNetwork(path));
  absl::StatusOr<std::unique_ptr<Network>> network = Create(std::move(packed));
  if (!network.ok())
    return absl::Status(network.status().code(),
                        absl::StrCat(path, ": ", network.status().message()));
  return network;
}

absl::StatusOr<std::unique_ptr<Network>> Network::Create(PackedNetwork network) {
  ASSIGN_OR_RETURN(Plan plan, MakePlan(network));
  return absl::WrapUnique(new Network(std::move(network), std::move(plan)));
}

Network::Network(PackedNetwork network, Plan plan)
    : description_(std::move(network)), plan_(std::move(plan)), pixel_values_(3 * 256) {
  for (Node& node : description_.nodes) {
    if (node.op == Op::kConv) node.float_weights = {};
    node.weights = {};
  }
  for (size_t i = 0; i < pixel_values_.size(); ++i) {
    const double value = static_cast<double>(i / 3) / 255;
    pixel_values_[i] =
        static_cast<float>((value - description_.mean[i % 3]) / description_.std[i % 3]);
  }
}

Network::~Network() = default;

std::unique_ptr<Network::Workspace> Network::Borrow() const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>(plan_.workspace_bytes);
}

void Network::Return(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(workspace));
}

void Network::Run(const float* images, int64_t count, float* logits) const {
  auto workspace = Borrow();
  float* const input = At<float>(workspace->memory.get(), plan_.input);
  for (int64_t i = 0; i < count; ++i) {
    std::copy_n(images + i * image_size(), image_size(), input);
    RunImage(*workspace, logits + i * num_classes(), nullptr);
  }
  Return(std::move(workspace));
}

void Network::RunPixels(const uint8_t* images, int64_t count, float* logits) const {
  auto workspace = Borrow();
  float* const input = At<float>(workspace->memory.get(), plan_.input);
  for (int64_t i = 0; i < count; ++i, images += image_size()) {
    for (int64_t k = 0; k < image_size(); ++k) input[k] = pixel_values_[3 * images[k] + k % 3];
    RunImage(*workspace, logits + i * num_classes(), nullptr);
  }
  Return(std::move(workspace));
}

void Network::RunObserved(const float* image, float* logits, const Observer& observer) const {
  auto workspace = Borrow();
  std::copy_n(image, image_size(), At<float>(workspace->memory.get(), plan_.input));
  RunImage(*workspace, logits, &observer);
  Return(std::move(workspace));
}

void Network::RunImage(Workspace& workspace, float* logits, const Observer* observer) const {
  uint8_t* const memory = workspace.memory.get();
  for (const Step& step : plan_.steps) {
    if (observer != nullptr && step.kind == Step::Kind::kConv && plan_.convs[step.weights].integers)
      (*observer)(description_.nodes[step.node], plan_.convs[step.weights].geometry.in,
                  At<int16_t>(memory, step.inputs[0]));
    RunStep(step, memory);
  }
  std::copy_n(At<float>(memory, plan_.logits), num_classes(), logits);
}

void Network::RunStep(const Step& step, uint8_t* memory) const {
  float* const output = At<float>(memory, step.output);
  const float* const input = At<float>(memory, step.inputs[0]);
  const int64_t size = step.shape.size();
  switch (step.kind) {
    case Step::Kind::kConvert:
      if (step.view.lattice.bits == 32) {
        if (step.view.relu) return ReluRow(input, size, output);
        std::copy_n(input, size, output);
      } else if (step.view.integers) {
        QuantizeRow(step.view.lattice, step.view.relu, input, size,
                    At<int16_t>(memory, step.output));
      } else {
        QuantizeRow(step.view.lattice, step.view.relu, input, size, output);
      }
      return;
    case Step::Kind::kConv:
      return RunConv(step, memory);
    case Step::Kind::kPool: {
      const Node& node = description_.nodes[step.node];
      const Shape& in = plan_.shapes.values[node.inputs[0]];
      for (int64_t y = 0; y < step.shape.height; ++y)
        PoolRow(node.op, node.window, in, input, y,
                output + y * step.shape.width * step.shape.channels);
      return;
    }
    case Step::Kind::kAdd:
      return AddRow(input, At<float>(memory, step.inputs[1]), size, output);
    case Step::Kind::kConcat:
      return RunConcat(step, memory);
    case Step::Kind::kGlobalMean:
      return RunMean(step, memory);
    case Step::Kind::kLinear:
      return RunLinear(step, memory);
  }
}

void Network::RunConv(const Step& step, uint8_t* memory) const {
  const ConvWeights& conv = plan_.convs[step.weights];
  const ConvGeometry& geometry = conv.geometry;
  const int64_t pixels = geometry.out.width, channels = geometry.out.channels;
  const int64_t stride = geometry.sum_stride();
  const Finish finish = {.scale = conv.scale.data(),
                         .norm_scale = conv.norm_scale.empty() ? nullptr : conv.norm_scale.data(),
                         .norm_shift = conv.norm_shift.data()};
  const Thresholds thresholds = {.count = conv.num_thresholds,
                                 .low = step.view.lattice.low,
                                 .sign = conv.sign.data(),
                                 .thresholds = conv.thresholds.data()};
  auto* const float_sums = reinterpret_cast<double*>(memory + plan_.sums);
  auto* const sums = reinterpret_cast<int32_t*>(memory + plan_.sums);
  auto* const row = reinterpret_cast<float*>(memory + plan_.row);
  const uint8_t* const zeros = memory + plan_.zeros;
  for (int64_t y = 0; y < geometry.out.height; ++y) {
    const int64_t first = y * pixels * channels;
    float* const floats = step.view.IsValueItself() ? At<float>(memory, step.output) + first : row;
    if (conv.integers) {
      IntConvRow(geometry, At<int16_t>(memory, step.inputs[0]),
                 reinterpret_cast<const int16_t*>(zeros), conv.ints.data(), y, sums);
      if (conv.num_thresholds > 0) {
        ThresholdRow(thresholds, sums, stride, pixels, channels,
                     At<int16_t>(memory, step.output) + first);
        continue;
      }
      FinishRow(finish, sums, stride, pixels, channels, floats);
    } else {
      FloatConvRow(geometry, At<float>(memory, step.inputs[0]),
                   reinterpret_cast<const float*>(zeros), conv.floats.data(), y, float_sums);
      FinishRow(finish, float_sums, stride, pixels, channels, floats);
    }
    if (floats != row) continue;
    const View& view = step.view;
    if (view.lattice.bits == 32) {
      ReluRow(row, pixels * channels, At<float>(memory, step.output) + first);
    } else if (view.integers) {
      QuantizeRow(view.lattice, view.relu, row, pixels * channels,
                  At<int16_t>(memory, step.output) + first);
    } else {
      QuantizeRow(view.lattice, view.relu, row, pixels * channels,
                  At<float>(memory, step.output) + first);
    }
  }
}

void Network::RunConcat(const Step& step, uint8_t* memory) const {
  const Node& node = description_.nodes[step.node];
  float* to = At<float>(memory, step.output);
  for (int64_t p = 0; p < step.shape.pixels(); ++p) {
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const int64_t channels = plan_.shapes.values[node.inputs[i]].channels;
      to = std::copy_n(At<float>(memory, step.inputs[i]) + p * channels, channels, to);
    }
  }
}

void Network::RunMean(const Step& step, uint8_t* memory) const {
  const Shape& in = plan_.shapes.values[description_.nodes[step.node].inputs[0]];
  const float* const x = At<float>(memory, step.inputs[0]);
  float* const y = At<float>(memory, step.output);
  for (int64_t c = 0; c < in.channels; ++c) {
    double sum = 0;
    for (int64_t p = 0; p < in.pixels(); ++p) sum += x[p * in.channels + c];
    y[c] = static_cast<float>(sum / static_cast<double>(in.pixels()));
  }
}

void Network::RunLinear(const Step& step, uint8_t* memory) const {
  const Node& node = description_.nodes[step.node];
  const int64_t inputs = node.float_weights.size() / node.out_channels;
  const float* const x = At<float>(memory, step.inputs[0]);
  float* const y = At<float>(memory, step.output);
  for (int64_t o = 0; o < node.out_channels; ++o) {
    double sum = 0;
    for (int64_t i = 0; i < inputs; ++i)
      sum += static_cast<double>(node.float_weights[o * inputs + i]) * x[i];
    y[o] = static_cast<float>(sum + node.shift[o]);
  }
}

}  // namespace quant::runtime
