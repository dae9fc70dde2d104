// Networks on integers beside the same in float: that of the packed file given, or separable
// convolutions as a CIFAR network of 36 channels has them. Prints the time of an image alone,
// images per second of 32 on one thread and on two, bytes of the file and of what is in memory
// (the values of an image and the weights), and the ratios.
//
//   bazel run //quant/runtime:runtime_benchmark [-- FILE.nqn]

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "quant/runtime/network.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/packed_reader.h"
#include "quant/runtime/packed_writer.h"
#include "quant/runtime/test_networks.h"

namespace quant::runtime {
namespace {

constexpr int kRuns = 50;
constexpr int kBatch = 32;
constexpr int kBatchRuns = 8;
constexpr int kThreads = 2;

struct Result {
  double seconds = 1e9;  // Of an image, the least.
  // Of a batch on one thread and on two, the best.
  std::array<double, kThreads> images_per_second = {};
  int64_t memory = 0;
  size_t file = 0;
};

double Seconds(const std::function<void()>& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The images divided among `threads`.
void RunBatch(const Network& network, const std::vector<float>& images, int threads,
              std::vector<float>& logits) {
  const auto run = [&](int thread) {
    const int first = kBatch * thread / threads, last = kBatch * (thread + 1) / threads;
    network.Run(&images[first * network.image_size()], last - first,
                &logits[first * network.num_classes()]);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(run, i);
  run(0);
  for (std::thread& other : others) other.join();
}

class Subject {
 public:
  explicit Subject(const PackedNetwork& packed)
      : network_(Network::Create(packed).value()),
        images_(kBatch * network_->image_size()),
        logits_(kBatch * network_->num_classes()) {
    TestNumbers numbers(1);
    for (float& v : images_) v = numbers.Between(-2, 2);
    RunBatch(*network_, images_, kThreads, logits_);
    result_.memory = network_->workspace_bytes() + network_->weight_bytes();
    result_.file = PackedBytesOf(packed)->size();
  }

  void RunImage() {
    const double seconds = Seconds([&] { network_->Run(images_.data(), 1, logits_.data()); });
    result_.seconds = std::min(result_.seconds, seconds);
  }
  void RunBatches() {
    for (int threads = 1; threads <= kThreads; ++threads) {
      const double seconds = Seconds([&] { RunBatch(*network_, images_, threads, logits_); });
      double& best = result_.images_per_second[threads - 1];
      best = std::max(best, kBatch / seconds);
    }
  }
  const Result& result() const { return result_; }

 private:
  const std::unique_ptr<Network> network_;
  std::vector<float> images_, logits_;
  Result result_;
};

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

void Print(const char* name, const char* kind, const Result& result) {
  std::printf("%-8s %-8s %9.2f %9.1f %9.1f %10zu %10ld\n", name, kind, 1e3 * result.seconds,
              result.images_per_second[0], result.images_per_second[1], result.file,
              static_cast<long>(result.memory));
}

// In turn, so that what else the machine does meets both.
void Compare(const char* name, const PackedNetwork& network) {
  Subject integers(network), floats(InFloat(network));
  for (int i = 0; i < kRuns; ++i) {
    integers.RunImage();
    floats.RunImage();
  }
  for (int i = 0; i < kBatchRuns; ++i) {
    integers.RunBatches();
    floats.RunBatches();
  }
  const Result &a = integers.result(), &b = floats.result();
  Print(name, "integers", a);
  Print(name, "float", b);
  std::printf("%-8s %-8s %9.2f %9.2f %9.2f %10.2f %10.2f\n", name, "ratio", b.seconds / a.seconds,
              a.images_per_second[0] / b.images_per_second[0],
              a.images_per_second[1] / b.images_per_second[1],
              static_cast<double>(b.file) / static_cast<double>(a.file),
              static_cast<double>(b.memory) / static_cast<double>(a.memory));
}

}  // namespace
}  // namespace quant::runtime

int main(int argc, char** argv) {
  using namespace quant::runtime;
  std::printf("%-8s %-8s %9s %9s %9s %10s %10s\n", "", "", "ms/image", "images/s", "2 threads",
              "file", "memory");
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
