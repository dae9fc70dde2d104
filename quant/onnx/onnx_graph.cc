#include "quant/onnx/onnx_graph.h"

#include "absl/strings/str_cat.h"
#include "protozero/pbf_writer.hpp"

namespace quant::onnx {
namespace {

using protozero::pbf_writer;

// Field numbers of onnx.proto.
namespace field {
constexpr int kModelIrVersion = 1, kModelProducer = 2, kModelGraph = 7, kModelOpset = 8;
constexpr int kModelMetadata = 14, kOpsetDomain = 1, kOpsetVersion = 2;
constexpr int kMetadataKey = 1, kMetadataValue = 2;
constexpr int kGraphNode = 1, kGraphName = 2, kGraphInitializer = 5;
constexpr int kGraphInput = 11, kGraphOutput = 12;
constexpr int kNodeInput = 1, kNodeOutput = 2, kNodeName = 3, kNodeOp = 4;
constexpr int kNodeAttribute = 5, kNodeDomain = 7;
constexpr int kAttributeName = 1, kAttributeInt = 3, kAttributeString = 4, kAttributeInts = 8;
constexpr int kAttributeType = 20;
constexpr int kTensorDims = 1, kTensorType = 2, kTensorName = 8, kTensorRaw = 9;
constexpr int kValueName = 1, kValueType = 2, kTypeTensor = 1;
constexpr int kTensorTypeElement = 1, kTensorTypeShape = 2;
constexpr int kShapeDim = 1, kDimValue = 1, kDimParam = 2;
}  // namespace field

// AttributeProto.AttributeType.
constexpr int kInt = 2, kString = 3, kInts = 7;

void PutValueInfo(std::string& to, int tag, const std::string& name, OnnxType type,
                  const OnnxShape& shape) {
  pbf_writer graph(to);
  pbf_writer value(graph, tag);
  value.add_string(field::kValueName, name);
  pbf_writer value_type(value, field::kValueType);
  pbf_writer tensor(value_type, field::kTypeTensor);
  tensor.add_int32(field::kTensorTypeElement, static_cast<int32_t>(type));
  pbf_writer shape_writer(tensor, field::kTensorTypeShape);
  for (const int64_t side : shape) {
    pbf_writer dim(shape_writer, field::kShapeDim);
    if (side == 0) {
      dim.add_string(field::kDimParam, "N");
    } else {
      dim.add_int64(field::kDimValue, side);
    }
  }
}

void PutAttribute(pbf_writer& node, const std::string& name, const OnnxValue& value) {
  pbf_writer attribute(node, field::kNodeAttribute);
  attribute.add_string(field::kAttributeName, name);
  if (const auto* number = std::get_if<int64_t>(&value)) {
    attribute.add_int64(field::kAttributeInt, *number);
    attribute.add_enum(field::kAttributeType, kInt);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    attribute.add_bytes(field::kAttributeString, *text);
    attribute.add_enum(field::kAttributeType, kString);
  } else {
    for (const int64_t v : std::get<std::vector<int64_t>>(value))
      attribute.add_int64(field::kAttributeInts, v);
    attribute.add_enum(field::kAttributeType, kInts);
  }
}

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

void PutOpset(pbf_writer& model, const std::string& domain, int64_t version) {
  pbf_writer opset(model, field::kModelOpset);
  opset.add_string(field::kOpsetDomain, domain);
  opset.add_int64(field::kOpsetVersion, version);
}

}  // namespace

void OnnxGraph::AddInput(const std::string& name, OnnxType type, const OnnxShape& shape) {
  PutValueInfo(inputs_, field::kGraphInput, name, type, shape);
}

void OnnxGraph::AddLogits(const std::string& value, const OnnxShape& shape) {
  const std::string name = "logits";
  pbf_writer graph(nodes_);
  pbf_writer node(graph, field::kGraphNode);
  node.add_string(field::kNodeInput, value);
  node.add_string(field::kNodeOutput, name);
  node.add_string(field::kNodeName, name);
  node.add_string(field::kNodeOp, "Identity");
  PutValueInfo(outputs_, field::kGraphOutput, name, OnnxType::kFloat, shape);
}

void OnnxGraph::AddMetadata(const std::string& key, const std::string& value) {
  pbf_writer model(metadata_);
  pbf_writer entry(model, field::kModelMetadata);
  entry.add_string(field::kMetadataKey, key);
  entry.add_string(field::kMetadataValue, value);
}

std::string OnnxGraph::Add(const std::string& op, const std::vector<std::string>& inputs,
                           const OnnxAttributes& attributes, const std::string& domain) {
  const std::string name = absl::StrCat(op, "_", num_nodes_++);
  pbf_writer graph(nodes_);
  pbf_writer node(graph, field::kGraphNode);
  for (const std::string& input : inputs) node.add_string(field::kNodeInput, input);
  node.add_string(field::kNodeOutput, name);
  node.add_string(field::kNodeName, name);
  node.add_string(field::kNodeOp, op);
  for (const auto& [key, value] : attributes) PutAttribute(node, key, value);
  if (!domain.empty()) node.add_string(field::kNodeDomain, domain);
  return name;
}

std::string OnnxGraph::Constant(OnnxType type, const OnnxShape& shape, const std::string& bytes) {
  const auto [known, fresh] =
      known_.try_emplace({type, shape, bytes}, absl::StrCat("constant_", known_.size()));
  if (!fresh) return known->second;
  pbf_writer graph(constants_);
  pbf_writer tensor(graph, field::kGraphInitializer);
  for (const int64_t side : shape) tensor.add_int64(field::kTensorDims, side);
  tensor.add_int32(field::kTensorType, static_cast<int32_t>(type));
  tensor.add_string(field::kTensorName, known->second);
  tensor.add_bytes(field::kTensorRaw, bytes);
  return known->second;
}

std::string OnnxGraph::Floats(const OnnxShape& shape, const std::vector<float>& values) {
  return Constant(OnnxType::kFloat, shape, BytesOf(values));
}

std::string OnnxGraph::Doubles(const OnnxShape& shape, const std::vector<double>& values) {
  return Constant(OnnxType::kDouble, shape, BytesOf(values));
}

std::string OnnxGraph::Ints(const std::vector<int64_t>& values) {
  return Constant(OnnxType::kInt64, {static_cast<int64_t>(values.size())}, BytesOf(values));
}

std::string OnnxGraph::Serialize(const OnnxVersions& versions) const {
  std::string bytes;
  pbf_writer model(bytes);
  // The first IR versions with uint4 and uint2.
  model.add_int64(field::kModelIrVersion, versions.opset < 25 ? 10 : 13);
  model.add_string(field::kModelProducer, "nqdarts");
  std::string graph;
  pbf_writer(graph).add_string(field::kGraphName, "network");
  model.add_message(field::kModelGraph, absl::StrCat(nodes_, graph, constants_, inputs_, outputs_));
  PutOpset(model, "", versions.opset);
  if (!versions.domain.empty()) PutOpset(model, versions.domain, 1);
  return bytes + metadata_;
}

}  // namespace quant::onnx
