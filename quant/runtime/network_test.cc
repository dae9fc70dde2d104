#include "quant/runtime/network.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "quant/runtime/arithmetic.h"
#include "quant/runtime/kernel_targets.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/test_networks.h"

namespace {
std::atomic<int64_t> allocations = 0;
}

// All of the process are counted.
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, std::align_val_t alignment) {
  ++allocations;
  const size_t unit = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace quant::runtime {
namespace {

// The operations as arithmetic.h puts them, one number after the other.
class Reference {
 public:
  Reference(const PackedNetwork& network, const std::vector<float>& image)
      : network_(network), shapes_(InferShapes(network).value()), values_{image} {
    for (const Node& node : network.nodes) {
      const std::vector<float>& x = values_[node.inputs[0]];
      std::vector<float> y(shapes_.values[values_.size()].size());
      switch (node.op) {
        case Op::kConv:
          Conv(node, y);
          break;
        case Op::kRelu:
          for (size_t i = 0; i < y.size(); ++i) y[i] = std::max(x[i], 0.0f);
          break;
        case Op::kMaxPool:
        case Op::kAvgPool:
        case Op::kPaddedAvgPool:
          Pool(node, y);
          break;
        case Op::kNorm:
          for (size_t i = 0; i < y.size(); ++i) {
            const size_t c = i % node.scale.size();
            y[i] = Normalized(x[i], node.scale[c], node.shift[c]);
          }
          break;
        case Op::kAdd:
          for (size_t i = 0; i < y.size(); ++i) y[i] = x[i] + values_[node.inputs[1]][i];
          break;
        case Op::kConcat:
          Concat(node, y);
          break;
        case Op::kGlobalMean:
        case Op::kLinear:
          Head(node, y);
          break;
      }
      values_.push_back(y);
    }
  }

  const std::vector<float>& logits() const { return values_.back(); }
  std::map<std::string, std::vector<int16_t>> levels;  // By convolution on integers.

 private:
  // The pixels under the taps, −1 outside.
  std::vector<int64_t> Taps(const Window& w, const Shape& in, int64_t y, int64_t x) const {
    std::vector<int64_t> taps;
    for (int i = 0; i < w.kernel_h; ++i) {
      for (int j = 0; j < w.kernel_w; ++j) {
        const int64_t v = y * w.stride_h - w.pad_top + i * w.dilation_h;
        const int64_t u = x * w.stride_w - w.pad_left + j * w.dilation_w;
        const bool inside = v >= 0 && v < in.height && u >= 0 && u < in.width;
        taps.push_back(inside ? v * in.width + u : -1);
      }
    }
    return taps;
  }

  void Conv(const Node& node, std::vector<float>& result) {
    const Shape in = shapes_.values[node.inputs[0]], out = shapes_.values[values_.size()];
    std::vector<double> x;
    for (float v : values_[node.inputs[0]]) {
      if (node.relu) v = std::max(v, 0.0f);
      const bool floats = node.activation.bits == 32;
      x.push_back(floats ? v : LevelOf(v, node.activation));
      if (!floats && node.weight_bits != 32)
        levels[node.name].push_back(static_cast<int16_t>(x.back()));
    }
    const int64_t inputs = in.channels / node.groups, outputs = out.channels / node.groups;
    const double step = node.activation.bits == 32 ? 1 : node.activation.step;
    for (int64_t p = 0; p < out.pixels(); ++p) {
      const auto taps = Taps(node.window, in, p / out.width, p % out.width);
      for (int64_t o = 0; o < out.channels; ++o) {
        double sum = 0;
        for (size_t t = 0; t < taps.size(); ++t) {
          for (int64_t i = 0; i < inputs && taps[t] >= 0; ++i) {
            const size_t at = (o * inputs + i) * taps.size() + t;
            const double w = node.weights.empty() ? node.float_weights[at] : node.weights[at];
            sum += w * x[taps[t] * in.channels + o / outputs * inputs + i];
          }
        }
        const double unit = node.units.empty()       ? 1
                            : node.units.size() == 1 ? node.units[0]
                                                     : node.units[o];
        float y = Scaled(sum, step * unit);
        if (!node.scale.empty()) y = Normalized(y, node.scale[o], node.shift[o]);
        result[p * out.channels + o] = y;
      }
    }
  }

  void Pool(const Node& node, std::vector<float>& y) const {
    const Shape in = shapes_.values[node.inputs[0]], out = shapes_.values[values_.size()];
    for (int64_t k = 0; k < out.size(); ++k) {
      const int64_t p = k / out.channels, c = k % out.channels;
      std::vector<float> inside;
      const auto taps = Taps(node.window, in, p / out.width, p % out.width);
      for (const int64_t tap : taps)
        if (tap >= 0) inside.push_back(values_[node.inputs[0]][tap * in.channels + c]);
      float sum = 0;
      for (const float v : inside) sum += v;
      y[k] = node.op == Op::kMaxPool
                 ? *std::max_element(inside.begin(), inside.end())
                 : sum / static_cast<float>(node.op == Op::kAvgPool ? inside.size() : taps.size());
    }
  }

  void Concat(const Node& node, std::vector<float>& y) const {
    y.clear();
    for (int64_t p = 0; p < shapes_.values[values_.size()].pixels(); ++p) {
      for (const uint32_t input : node.inputs) {
        const int64_t channels = shapes_.values[input].channels;
        const auto from = values_[input].begin() + p * channels;
        y.insert(y.end(), from, from + channels);
      }
    }
  }

  void Head(const Node& node, std::vector<float>& y) const {
    const std::vector<float>& x = values_[node.inputs[0]];
    const Shape in = shapes_.values[node.inputs[0]];
    for (size_t c = 0; c < y.size(); ++c) {
      double sum = 0;
      if (node.op == Op::kGlobalMean) {
        for (int64_t p = 0; p < in.pixels(); ++p) sum += x[p * in.channels + c];
        y[c] = static_cast<float>(sum / static_cast<double>(in.pixels()));
      } else {
        for (size_t i = 0; i < x.size(); ++i)
          sum += static_cast<double>(node.float_weights[c * x.size() + i]) * x[i];
        y[c] = static_cast<float>(sum + node.shift[c]);
      }
    }
  }

  const PackedNetwork& network_;
  const Shapes shapes_;
  std::vector<std::vector<float>> values_;
};

std::vector<float> Image(const Network& network, uint64_t seed) {
  TestNumbers numbers(seed);
  std::vector<float> image(network.image_size());
  for (float& v : image) v = numbers.Between(-2, 2);
  return image;
}

class EveryTarget : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { UseKernelTarget(GetParam()); }
  void TearDown() override { UseKernelTarget(0); }
};
INSTANTIATE_TEST_SUITE_P(Kernels, EveryTarget, testing::ValuesIn(KernelTargets()),
                         [](const auto& info) { return KernelTargetName(info.param); });

constexpr uint64_t kSeeds = 6;
const std::vector<std::vector<TestBits>> kBits = {
    {{1, 1}},
    {{2, 2}},
    {{3, 3}},
    {{4, 4}},
    {{5, 7}, {6, 6}, {7, 5}},
    {{8, 8}},
    {{32, 32}},
    {{2, 4}, {32, 2}, {4, 32}, {8, 3}, {1, 8}, {3, 1}, {8, 8}}};

void ExpectTheArithmetic(const PackedNetwork& packed, uint64_t seed) {
  const auto network = Network::Create(packed).value();
  const std::vector<float> image = Image(*network, seed);
  Reference reference(packed, image);
  std::vector<float> logits(network->num_classes());
  network->RunObserved(
      image.data(), logits.data(),
      [&](const Node& conv, const Shape& shape, const int16_t* levels) {
        EXPECT_EQ(std::vector<int16_t>(levels, levels + shape.size()), reference.levels[conv.name])
            << conv.name << ", seed " << seed;
        reference.levels.erase(conv.name);
      });
  EXPECT_EQ(logits, reference.logits()) << seed;
  // What does not lead to the logits is not computed.
  if (seed < kSeeds) {
    EXPECT_EQ(reference.levels.size(), 0);
  }
}

TEST_P(EveryTarget, ComputesWhatArithmeticSaysToTheBit) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const auto& bits : kBits) ExpectTheArithmetic(TestNetwork(seed, bits), seed);
}

TEST_P(EveryTarget, ComputesWhatArithmeticSaysOfAnyGraph) {
  for (uint64_t seed = kSeeds; seed < 100 && !HasFailure(); ++seed)
    ExpectTheArithmetic(RandomNetwork(seed), seed);
}

TEST(Network, ImagesOfABatchDoNotKnowOfEachOther) {
  const auto network = Network::Create(TestNetwork(1, {{2, 4}, {8, 8}})).value();
  std::vector<float> batch, one_by_one(3 * network->num_classes()), together = one_by_one;
  for (int i = 0; i < 3; ++i) {
    const std::vector<float> image = Image(*network, i);
    network->Run(image.data(), 1, &one_by_one[i * network->num_classes()]);
    batch.insert(batch.end(), image.begin(), image.end());
  }
  network->Run(batch.data(), 3, together.data());
  EXPECT_EQ(together, one_by_one);
}

TEST(Network, PixelsAreNormalized) {
  const auto network = Network::Create(TestNetwork(2, {{2, 2}})).value();
  std::vector<uint8_t> pixels(network->image_size());
  std::vector<float> image;
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<uint8_t>(37 * i);
    const auto& [mean, std] = std::tie(network->description().mean, network->description().std);
    image.push_back((pixels[i] / 255.0 - mean[i % 3]) / std[i % 3]);
  }
  std::vector<float> expected(network->num_classes()), logits = expected;
  network->Run(image.data(), 1, expected.data());
  network->RunPixels(pixels.data(), 1, logits.data());
  EXPECT_EQ(logits, expected);
}

TEST(Network, ThreadsShareIt) {
  const auto network = Network::Create(TestNetwork(3, {{3, 2}, {32, 32}})).value();
  const std::vector<float> image = Image(*network, 5);
  std::vector<float> expected(network->num_classes());
  network->Run(image.data(), 1, expected.data());
  std::vector<std::vector<float>> logits(4, std::vector<float>(expected.size()));
  std::vector<std::thread> threads;
  for (auto& own : logits)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) network->Run(image.data(), 1, own.data());
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& own : logits) EXPECT_EQ(own, expected);
}

TEST(Network, NotANumberIsTheLowestLevel) {
  const auto network = Network::Create(TestNetwork(4, {{2, 2}})).value();
  std::vector<float> image(network->image_size(), std::nanf(""));
  std::vector<float> low(image.size(), -1e30f), logits(network->num_classes()), expected = logits;
  network->Run(image.data(), 1, logits.data());
  network->Run(low.data(), 1, expected.data());
  EXPECT_EQ(logits, expected);
}

TEST(Network, AllocatesNothingAfterTheFirstRun) {
  const auto network = Network::Create(TestNetwork(6, {{2, 4}, {8, 8}, {32, 32}})).value();
  const std::vector<float> image = Image(*network, 7);
  const std::vector<uint8_t> pixels(network->image_size(), 100);
  std::vector<float> logits(network->num_classes());
  network->Run(image.data(), 1, logits.data());
  const int64_t before = allocations;
  network->Run(image.data(), 1, logits.data());
  network->RunPixels(pixels.data(), 1, logits.data());
  EXPECT_EQ(allocations, before);
  EXPECT_GT(before, 0);
}

// Of a network of separable convolutions and sums on 2 bits: bytes instead of floats, and what is
// used where it is computed is not stored.
TEST(Network, MemoryIsUsedAgain) {
  const PackedNetwork packed = TestNetwork(5, {{2, 2}});
  const auto network = Network::Create(packed).value();
  int64_t all_in_float = 0;
  const Shapes shapes = InferShapes(packed).value();
  for (const Shape& shape : shapes.values) all_in_float += 4 * shape.size();
  EXPECT_LT(network->workspace_bytes(), all_in_float / 2 + 16 * 1024);
}

}  // namespace
}  // namespace quant::runtime
