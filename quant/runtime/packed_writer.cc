#include "quant/runtime/packed_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "quant/runtime/bit_packing.h"
#include "quant/runtime/packed_format.h"

namespace quant::runtime {
namespace {

void PutByte(std::string& to, uint8_t value) { to.push_back(static_cast<char>(value)); }

void PutUnsigned(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) PutByte(to, static_cast<uint8_t>(value) | 0x80);
  PutByte(to, static_cast<uint8_t>(value));
}

// 0, −1, 1, −2 … as 0, 1, 2, 3 …
void PutSigned(std::string& to, int64_t value) {
  PutUnsigned(to, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void PutFloat(std::string& to, float value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void PutFloats(std::string& to, const std::vector<float>& values) {
  for (const float value : values) PutFloat(to, value);
}

void PutString(std::string& to, const std::string& text) {
  PutUnsigned(to, text.size());
  to.append(text);
}

void PutWindow(std::string& to, const Window& window) {
  for (const int32_t v : {window.kernel_h, window.kernel_w, window.stride_h, window.stride_w})
    PutUnsigned(to, v);
  for (const int32_t v : {window.pad_top, window.pad_left}) PutSigned(to, v);
  for (const int32_t v : {window.dilation_h, window.dilation_w, window.out_h, window.out_w})
    PutUnsigned(to, v);
}

void PutConv(std::string& to, const Node& node) {
  PutWindow(to, node.window);
  for (const int32_t v : {node.out_channels, node.groups, node.weight_bits}) PutUnsigned(to, v);
  PutByte(to, static_cast<uint8_t>(node.code));
  PutUnsigned(to, node.units.size());
  PutByte(to, (node.relu ? kHasRelu : 0) | (node.scale.empty() ? 0 : kHasNorm));
  PutUnsigned(to, node.activation.bits);
  if (node.activation.bits == 32) return;
  PutFloat(to, node.activation.step);
  PutSigned(to, node.activation.low);
  PutSigned(to, node.activation.high);
}

void PutNode(std::string& to, const Node& node) {
  PutByte(to, static_cast<uint8_t>(node.op));
  PutString(to, node.name);
  PutUnsigned(to, node.inputs.size());
  for (const uint32_t input : node.inputs) PutUnsigned(to, input);
  if (node.op == Op::kConv) PutConv(to, node);
  if (IsPool(node.op)) PutWindow(to, node.window);
  if (node.op == Op::kLinear) PutUnsigned(to, node.out_channels);
}

std::string Description(const PackedNetwork& network) {
  std::string text;
  PutString(text, network.architecture);
  PutUnsigned(text, network.classes.size());
  for (const std::string& name : network.classes) PutString(text, name);
  PutUnsigned(text, network.height);
  PutUnsigned(text, network.width);
  PutByte(text, static_cast<uint8_t>(network.preparation));
  PutFloat(text, network.crop);
  for (const float v : network.mean) PutFloat(text, v);
  for (const float v : network.std) PutFloat(text, v);
  PutUnsigned(text, network.nodes.size());
  for (const Node& node : network.nodes) PutNode(text, node);
  return text;
}

// The first that has all of its operations.
uint32_t VersionOf(const PackedNetwork& network) {
  const bool first = std::all_of(network.nodes.begin(), network.nodes.end(),
                                 [](const Node& node) { return node.op <= Op::kLinear; });
  return first ? 1 : 2;
}

void Align(std::string& to, size_t alignment) {
  to.resize((to.size() + alignment - 1) / alignment * alignment, '\0');
}

std::string Data(const PackedNetwork& network) {
  std::string data;
  for (const Node& node : network.nodes) {
    data += PackWeights(node.weights, node.weight_bits, node.code);
    Align(data, kArrayAlignment);
    PutFloats(data, node.float_weights);
    PutFloats(data, node.units);
    PutFloats(data, node.scale);
    PutFloats(data, node.shift);
  }
  return data;
}

}  // namespace

absl::StatusOr<std::string> PackedBytesOf(const PackedNetwork& network) {
  RETURN_IF_ERROR(CheckNetwork(network));
  std::string bytes(sizeof(PackedHeader), '\0');
  bytes += Description(network);
  Align(bytes, kDataAlignment);
  PackedHeader header = {};
  std::memcpy(header.magic, kPackedMagic.data(), kPackedMagic.size());
  header.version = VersionOf(network);
  header.data = bytes.size();
  bytes += Data(network);
  header.file_size = bytes.size();
  header.body_checksum = PackedChecksum(&bytes[sizeof(header)], bytes.size() - sizeof(header));
  header.header_checksum = HeaderChecksum(header);
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

absl::Status WritePackedNetwork(const std::string& path, const PackedNetwork& network) {
  absl::StatusOr<std::string> bytes = PackedBytesOf(network);
  if (!bytes.ok())
    return absl::Status(bytes.status().code(), absl::StrCat(path, ": ", bytes.status().message()));
  return base::WriteFileAtomically(path, *bytes);
}

}  // namespace quant::runtime
