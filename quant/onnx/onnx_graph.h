// An ONNX model while it is put together: nodes, constant tensors, inputs and outputs; then its
// bytes, a protocol buffer of onnx.proto (ONNX 1.20, IR version 10 or 13).
//
//   OnnxGraph graph;
//   graph.AddInput("x", OnnxType::kFloat, {0, 3});
//   const std::string two = graph.Floats({}, {2});
//   graph.AddOutput(graph.Add("Mul", {"x", two}), {0, 3});
//   std::string bytes = graph.Serialize({.opset = 21});
#ifndef QUANT_ONNX_ONNX_GRAPH_H_
#define QUANT_ONNX_ONNX_GRAPH_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace quant::onnx {

// TensorProto.DataType.
enum class OnnxType : int32_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt64 = 7,
  kDouble = 11,
  kUint4 = 21,
  kUint2 = 25,
};

using OnnxShape = std::vector<int64_t>;  // 0: the batch's size.
using OnnxValue = std::variant<int64_t, std::string, std::vector<int64_t>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxValue>>;

struct OnnxVersions {
  int64_t opset = 21;
  std::string domain = {};  // A second operator set, of version 1; none if empty.
};

class OnnxGraph {
 public:
  void AddInput(const std::string& name, OnnxType type, const OnnxShape& shape);
  // Calls the float value `value` "logits".
  void AddLogits(const std::string& value, const OnnxShape& shape);
  void AddMetadata(const std::string& key, const std::string& value);

  // A node with one result, whose name it returns.
  std::string Add(const std::string& op, const std::vector<std::string>& inputs,
                  const OnnxAttributes& attributes = {}, const std::string& domain = {});

  // A tensor of little-endian numbers, less than a byte each from the lowest bit on; its name. One
  // that is there already is not stored again.
  std::string Constant(OnnxType type, const OnnxShape& shape, const std::string& bytes);
  std::string Floats(const OnnxShape& shape, const std::vector<float>& values);
  std::string Doubles(const OnnxShape& shape, const std::vector<double>& values);
  std::string Ints(const std::vector<int64_t>& values);

  std::string Serialize(const OnnxVersions& versions) const;

 private:
  std::string nodes_, constants_, inputs_, outputs_, metadata_;  // Their serialized fields.
  std::map<std::tuple<OnnxType, OnnxShape, std::string>, std::string> known_;
  int64_t num_nodes_ = 0;
};

}  // namespace quant::onnx

#endif  // QUANT_ONNX_ONNX_GRAPH_H_
