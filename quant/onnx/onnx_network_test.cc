#include "quant/onnx/onnx_network.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "protozero/pbf_reader.hpp"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/test_networks.h"

namespace quant::onnx {
namespace {

using protozero::pbf_reader;
using runtime::TestBits;
using runtime::TestNetwork;

struct Tensor {
  int64_t type = 0, elements = 1;
  std::string name, bytes;
};

// What a reader of onnx.proto finds.
struct Model {
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;
  std::vector<Tensor> tensors;
  std::map<std::string, int> ops;
  std::set<std::string> defined;       // Values, inputs and tensors.
  std::vector<std::string> undefined;  // Inputs of nodes that come before them.
};

std::string NameOf(pbf_reader value) {
  EXPECT_TRUE(value.next(1));
  return value.get_string();
}

void ReadNode(pbf_reader node, Model& model) {
  std::vector<std::string> inputs;
  while (node.next()) {
    if (node.tag() == 1) {
      inputs.push_back(node.get_string());
    } else if (node.tag() == 2) {
      for (const std::string& input : inputs)
        if (model.defined.count(input) == 0) model.undefined.push_back(input);
      EXPECT_TRUE(model.defined.insert(node.get_string()).second);
    } else if (node.tag() == 4) {
      ++model.ops[node.get_string()];
    } else {
      node.skip();
    }
  }
}

Tensor ReadTensor(pbf_reader reader) {
  Tensor tensor;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        tensor.elements *= reader.get_int64();
        break;
      case 2:
        tensor.type = reader.get_int32();
        break;
      case 8:
        tensor.name = reader.get_string();
        break;
      case 9:
        tensor.bytes = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
  return tensor;
}

Model Read(const std::string& bytes) {
  Model model;
  pbf_reader whole(bytes), graph;
  while (whole.next()) {
    if (whole.tag() == 1) {
      model.ir_version = whole.get_int64();
    } else if (whole.tag() == 7) {
      graph = whole.get_message();
    } else if (whole.tag() == 8) {
      pbf_reader opset = whole.get_message();
      EXPECT_TRUE(opset.next(1));
      const std::string domain = opset.get_string();
      EXPECT_TRUE(opset.next(2));
      model.opsets[domain] = opset.get_int64();
    } else {
      whole.skip();
    }
  }
  for (pbf_reader tensors = graph; tensors.next(5);) {
    model.tensors.push_back(ReadTensor(tensors.get_message()));
    EXPECT_TRUE(model.defined.insert(model.tensors.back().name).second);
  }
  for (pbf_reader inputs = graph; inputs.next(11);)
    model.defined.insert(NameOf(inputs.get_message()));
  for (pbf_reader nodes = graph; nodes.next(1);) ReadNode(nodes.get_message(), model);
  for (pbf_reader outputs = graph; outputs.next(12);)
    EXPECT_EQ(model.defined.count(NameOf(outputs.get_message())), 1);
  return model;
}

int BitsOf(int64_t type) {
  static const std::map<int64_t, int> bits = {{1, 32},  {2, 8},  {3, 8}, {7, 64},
                                              {11, 64}, {21, 4}, {25, 2}};
  return bits.at(type);
}

class Exported : public testing::TestWithParam<TestBits> {};
INSTANTIATE_TEST_SUITE_P(Bits, Exported,
                         testing::Values(TestBits{1, 1}, TestBits{2, 2}, TestBits{3, 3},
                                         TestBits{4, 4}, TestBits{8, 8}, TestBits{32, 32},
                                         TestBits{4, 1}, TestBits{32, 2}, TestBits{8, 32}));

TEST_P(Exported, IsAGraphInOrderWhoseTensorsHaveTheirBits) {
  const auto network = TestNetwork(1, {GetParam()});
  size_t weights = 0, convs = 0;
  for (const auto& node : network.nodes) {
    weights += node.weights.size();
    convs += node.op == runtime::Op::kConv;
  }
  for (const bool preprocessing : {false, true}) {
    for (const OnnxDialect dialect : {OnnxDialect::kOnnx, OnnxDialect::kQonnx}) {
      const bool qonnx = dialect == OnnxDialect::kQonnx;
      const auto bytes =
          OnnxBytesOf(network, {.dialect = dialect, .include_preprocessing = preprocessing});
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Model model = Read(*bytes);
      EXPECT_EQ(model.undefined, std::vector<std::string>());
      // In float64 they are products of matrices.
      const bool in_doubles = GetParam().weight == 32 && GetParam().activation != 32 && !qonnx;
      EXPECT_EQ(model.ops["Conv"], in_doubles ? 0 : convs);
      EXPECT_EQ(model.ops["MatMul"], in_doubles ? convs : 0);
      const bool newest = GetParam().weight <= 2 && !qonnx;
      EXPECT_EQ(model.opsets.at(""), newest ? 25 : 21);
      EXPECT_EQ(model.ir_version, newest ? 13 : 10);
      EXPECT_EQ(model.opsets.count("qonnx.custom_op.general"), qonnx);
      size_t levels = 0;
      for (const Tensor& tensor : model.tensors) {
        EXPECT_EQ(tensor.bytes.size(), (tensor.elements * BitsOf(tensor.type) + 7) / 8);
        if (BitsOf(tensor.type) <= 8 && tensor.elements > 1) levels += tensor.elements;
      }
      EXPECT_EQ(levels, qonnx ? 0 : weights);
    }
  }
}

TEST(Onnx, RefusesWhatIsNoNetwork) {
  auto network = TestNetwork(1, {{2, 2}});
  network.nodes[0].inputs = {7};
  EXPECT_EQ(OnnxBytesOf(network, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quant::onnx
