#include "quant/runtime/packed_reader.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "quant/runtime/bit_packing.h"
#include "quant/runtime/packed_format.h"
#include "quant/runtime/packed_writer.h"
#include "quant/runtime/test_networks.h"

namespace quant::runtime {
namespace {

using testing::HasSubstr;

const std::vector<TestBits> kMixed = {{2, 4}, {32, 2}, {4, 32}, {8, 3}, {1, 8}, {3, 1}};

absl::StatusOr<PackedNetwork> Parse(const std::string& bytes) {
  return ParsePackedNetwork(
      absl::MakeSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

// After a change that shall not be found by its checksum.
std::string WithRightChecksums(std::string bytes) {
  PackedHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.file_size = bytes.size();
  header.body_checksum =
      PackedChecksum(bytes.data() + sizeof(header), bytes.size() - sizeof(header));
  header.header_checksum = HeaderChecksum(header);
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST(PackedReader, ReturnsWhatWasWritten) {
  const PackedNetwork network = TestNetwork(7, kMixed);
  const std::string bytes = PackedBytesOf(network).value();
  const PackedNetwork read = Parse(bytes).value();
  EXPECT_EQ(read.architecture, network.architecture);
  EXPECT_EQ(read.classes, network.classes);
  EXPECT_EQ(read.mean, network.mean);
  EXPECT_EQ(read.std, network.std);
  ASSERT_EQ(read.nodes.size(), network.nodes.size());
  for (size_t i = 0; i < read.nodes.size(); ++i) {
    const Node &a = read.nodes[i], &b = network.nodes[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.inputs, b.inputs);
    EXPECT_EQ(a.weights, b.weights) << a.name;
    EXPECT_EQ(a.float_weights, b.float_weights) << a.name;
    EXPECT_EQ(a.units, b.units);
    EXPECT_EQ(a.activation, b.activation);
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(a.shift, b.shift);
  }
  // Every field, those not named above too.
  EXPECT_EQ(PackedBytesOf(read).value(), bytes);
}

// A file needs the newest version only for what the first one lacks.
TEST(PackedReader, NewerOperationsAreOfANewerVersion) {
  bool newer = false, older = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const PackedNetwork network = RandomNetwork(seed);
    bool first = true;
    for (const Node& node : network.nodes) first &= node.op <= Op::kLinear;
    const std::string bytes = PackedBytesOf(network).value();
    EXPECT_EQ(bytes[8], first ? 1 : 2);
    (first ? older : newer) = true;
    const auto read = Parse(bytes);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(PackedBytesOf(*read).value(), bytes);
    for (size_t i = 0; i < network.nodes.size(); ++i) {
      EXPECT_EQ(read->nodes[i].scale, network.nodes[i].scale);
      EXPECT_EQ(read->nodes[i].shift, network.nodes[i].shift);
    }
  }
  EXPECT_TRUE(newer && older);
}

TEST(PackedReader, WeightsHaveTheirBits) {
  for (const int bits : {1, 2, 3, 4, 5, 6, 7}) {
    std::vector<int8_t> weights;
    for (int i = 0; i < 1001; ++i) weights.push_back(2 * (i % (1 << bits)) + 1 - (1 << bits));
    const std::string packed = PackWeights(weights, bits, WeightCode::kOdd);
    EXPECT_EQ(packed.size(), (1001 * bits + 7) / 8);
    const auto* begin = reinterpret_cast<const uint8_t*>(packed.data());
    EXPECT_EQ(UnpackWeights({begin, packed.size()}, 1001, bits, WeightCode::kOdd), weights);
  }
}

TEST(PackedReader, RefusesAFileCutAnywhere) {
  const std::string bytes = PackedBytesOf(TestNetwork(8, kMixed)).value();
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_FALSE(Parse(bytes.substr(0, size)).ok()) << size;
  ASSERT_FALSE(Parse(bytes + '\0').ok());
}

// Cut, with sizes and checksums made right again.
TEST(PackedReader, RefusesAnExpertlyCutFile) {
  const std::string bytes = PackedBytesOf(TestNetwork(8, kMixed)).value();
  for (size_t size = sizeof(PackedHeader); size < bytes.size(); ++size)
    ASSERT_FALSE(Parse(WithRightChecksums(bytes.substr(0, size))).ok()) << size;
}

TEST(PackedReader, RefusesAnyBitFlipped) {
  std::string bytes = PackedBytesOf(TestNetwork(9, {{2, 2}})).value();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= 1 << bit;
      ASSERT_FALSE(Parse(bytes).ok()) << "bit " << bit << " of byte " << i;
      bytes[i] ^= 1 << bit;
    }
  }
}

TEST(PackedReader, SaysWhatIsWrong) {
  std::string bytes = PackedBytesOf(TestNetwork(9, {{2, 2}})).value();
  EXPECT_THAT(Parse("").status().message(), HasSubstr("no packed network"));
  EXPECT_THAT(Parse(bytes.substr(0, 20)).status().message(), HasSubstr("header"));
  EXPECT_THAT(Parse(bytes.substr(0, 200)).status().message(), HasSubstr("has 200 bytes"));
  std::string newer = bytes;
  newer[8] = 3;
  EXPECT_THAT(Parse(newer).status().message(), HasSubstr("version 3; this program reads up to 2"));
  bytes.back() ^= 1;
  EXPECT_EQ(Parse(bytes).status().code(), absl::StatusCode::kDataLoss);
}

TEST(PackedReader, ErrorsNameThePath) {
  const std::string path = testing::TempDir() + "/network";
  EXPECT_THAT(ReadPackedNetwork(path).status().message(), HasSubstr(path));
  EXPECT_THAT(ReadPackedNetwork(testing::TempDir()).status().message(), HasSubstr("is no file"));
  for (const char* content : {"", "some text"}) {
    ASSERT_TRUE(base::WriteFileAtomically(path, content).ok());
    EXPECT_THAT(ReadPackedNetwork(path).status().message(),
                HasSubstr(path + ": is no packed network"));
  }
  ASSERT_TRUE(WritePackedNetwork(path, TestNetwork(1, {{4, 4}})).ok());
  EXPECT_TRUE(ReadPackedNetwork(path).ok());
}

// One field each that makes a network contradict itself, or its sizes overflow.
TEST(PackedReader, RefusesNetworksThatCannotBe) {
  const PackedNetwork good = TestNetwork(3, {{2, 2}});
  ASSERT_TRUE(CheckNetwork(good).ok());
  const auto refused = [&](auto change, const char* message) {
    PackedNetwork network = good;
    change(network);
    const absl::Status status = CheckNetwork(network);
    EXPECT_THAT(status.message(), HasSubstr(message));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(PackedBytesOf(network).ok());
  };
  using N = PackedNetwork;
  refused([](N& n) { n.height = 0; }, "pixels");
  refused([](N& n) { n.width = 1 << 20; }, "pixels");
  refused([](N& n) { n.std[1] = 0; }, "normalization");
  refused([](N& n) { n.crop = 2; }, "crop");
  refused([](N& n) { n.classes.pop_back(); }, "4 classes");
  refused([](N& n) { n.nodes.clear(); }, "0 nodes");
  refused([](N& n) { n.nodes[1].inputs[0] = 2; }, "value 2, which is none before it");
  refused([](N& n) { n.nodes[1].inputs.clear(); }, "0 inputs");
  refused([](N& n) { n.nodes[0].op = static_cast<Op>(77); }, "unknown operation 77");
  refused([](N& n) { n.nodes[0].window.stride_h = 0; }, "stride or dilation of 0");
  refused([](N& n) { n.nodes[0].window.kernel_w = 17; }, "kernel of 3x17");
  refused([](N& n) { n.nodes[0].window.out_h = 1 << 30; }, "output of");
  refused([](N& n) { n.nodes[0].window.pad_top = INT32_MIN; }, "padding");
  refused([](N& n) { n.nodes[1].groups = 4; }, "in 4 groups");
  refused([](N& n) { n.nodes[0].groups = 0; }, "in 0 groups");
  refused([](N& n) { n.nodes[0].out_channels = 1 << 30; }, "channels");
  refused([](N& n) { n.nodes[0].weight_bits = 9; }, "weights of 9 bits");
  refused([](N& n) { n.nodes[0].activation.bits = 9; }, "activations of 9 bits");
  refused([](N& n) { n.nodes[0].activation.high = 4; }, "activations from 0 to 4 of 2 bits");
  refused([](N& n) { n.nodes[0].activation.step = 0; }, "a step of 0");
  refused([](N& n) { n.nodes[0].weights.pop_back(); }, "not as many weights");
  refused([](N& n) { n.nodes[0].weights[0] = 2; }, "no levels of 2 bits");
  refused([](N& n) { n.nodes[0].weights[0] = 5; }, "no levels of 2 bits");
  refused([](N& n) { n.nodes[0].units[0] = NAN; }, "not finite");
  refused([](N& n) { n.nodes[0].units.clear(); }, "one unit");
  refused([](N& n) { n.nodes[0].scale.assign(3, 1.0f); }, "scale and a shift");
  // The sum's ReLU.
  const auto norm = [](N& n, float scale) {
    n.nodes[8] = {.op = Op::kNorm, .inputs = n.nodes[8].inputs};
    n.nodes[8].scale.assign(12, scale);
    n.nodes[8].shift.assign(12, 0.0f);
  };
  PackedNetwork normalized = good;
  norm(normalized, 1);
  EXPECT_TRUE(CheckNetwork(normalized).ok());
  refused([&](N& n) { norm(n, NAN); }, "not finite");
  refused([&](N& n) { norm(n, 1), n.nodes[8].shift.pop_back(); }, "scale and a shift");
}

}  // namespace
}  // namespace quant::runtime
