// Networks on integers beside the same in float, an image at a time on one thread: of the packed
// file given, or of separable convolutions as a CIFAR network of 36 channels has them. Prints the
// ratios.
//
//   bazel run //quant/runtime:runtime_benchmark [-- FILE.nqn]

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "quant/runtime/network.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/packed_reader.h"
#include "quant/runtime/packed_writer.h"
#include "quant/runtime/test_networks.h"

namespace quant::runtime {
namespace {

constexpr int kRuns = 15;

struct Result {
  double milliseconds;  // The median.
  int64_t workspace;
  size_t file;
};

Result Measure(const PackedNetwork& packed) {
  const auto network = Network::Create(packed).value();
  TestNumbers numbers(1);
  std::vector<float> image(network->image_size()), logits(network->num_classes());
  for (float& v : image) v = numbers.Between(-2, 2);
  network->Run(image.data(), 1, logits.data());
  std::vector<double> times(kRuns);
  for (double& time : times) {
    const auto start = std::chrono::steady_clock::now();
    network->Run(image.data(), 1, logits.data());
    time =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return {times[kRuns / 2], network->workspace_bytes(), PackedBytesOf(packed)->size()};
}

// The same graph without bits. Its weights are those that the levels stand for.
PackedNetwork InFloat(PackedNetwork network) {
  for (Node& node : network.nodes) {
    if (node.op != Op::kConv) continue;
    node.activation = {};
    if (node.weight_bits == 32) continue;
    const size_t per_channel = node.weights.size() / node.out_channels;
    for (size_t i = 0; i < node.weights.size(); ++i)
      node.float_weights.push_back(node.weights[i] *
                                   node.units[node.units.size() == 1 ? 0 : i / per_channel]);
    node.weights = {};
    node.units = {};
    node.weight_bits = 32;
    node.code = WeightCode::kFloat;
  }
  return network;
}

// A stem, `blocks` of depthwise 3x3 and pointwise convolutions at 32x32 pixels, a classifier.
PackedNetwork Separable(int channels, int blocks, TestBits bits) {
  TestNumbers numbers(2);
  PackedNetwork network = {
      .classes = std::vector<std::string>(10, "class"), .height = 32, .width = 32};
  const Window same3 = {
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .out_h = 32, .out_w = 32};
  const Window same1 = {.out_h = 32, .out_w = 32};
  const auto add = [&](int inputs, int groups, const Window& window, TestBits conv_bits) {
    Node node = {.op = Op::kConv,
                 .inputs = {static_cast<uint32_t>(network.nodes.size())},
                 .window = window,
                 .out_channels = channels,
                 .groups = groups};
    FillConv(node, inputs, conv_bits, numbers);
    network.nodes.push_back(std::move(node));
  };
  add(3, 1, same3, {32, 32});
  for (int i = 0; i < blocks; ++i) {
    add(channels, channels, same3, bits);
    add(channels, 1, same1, bits);
  }
  const uint32_t last = network.nodes.size();
  network.nodes.push_back({.op = Op::kGlobalMean, .inputs = {last}});
  network.nodes.push_back({.op = Op::kLinear,
                           .inputs = {last + 1},
                           .out_channels = 10,
                           .float_weights = std::vector<float>(10 * channels, 0.1f),
                           .shift = std::vector<float>(10)});
  return network;
}

void Compare(const char* name, const PackedNetwork& network) {
  const Result integers = Measure(network), floats = Measure(InFloat(network));
  std::printf(
      "%-12s %8.3f ms, float %8.3f ms, ratio %5.2f; workspace 1/%.2f, file 1/%.2f of float's\n",
      name, integers.milliseconds, floats.milliseconds, floats.milliseconds / integers.milliseconds,
      static_cast<double>(floats.workspace) / integers.workspace,
      static_cast<double>(floats.file) / integers.file);
}

}  // namespace
}  // namespace quant::runtime

int main(int argc, char** argv) {
  using namespace quant::runtime;
  if (argc > 1) {
    const auto network = ReadPackedNetwork(argv[1]);
    if (!network.ok()) {
      std::fprintf(stderr, "%s\n", std::string(network.status().message()).c_str());
      return 1;
    }
    Compare("file", *network);
    return 0;
  }
  for (const TestBits bits : {TestBits{2, 2}, {4, 4}, {8, 8}}) {
    const std::string name = std::to_string(bits.activation) + "/" + std::to_string(bits.weight);
    Compare(name.c_str(), Separable(36, 20, bits));
  }
}
