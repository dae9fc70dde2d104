#include "quant/runtime/packed_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "quant/runtime/bit_packing.h"
#include "quant/runtime/mapped_file.h"
#include "quant/runtime/packed_format.h"

namespace quant::runtime {
namespace {

// Takes numbers off the front of bytes. What is not there is 0, and then ok() is false.
class ByteReader {
 public:
  explicit ByteReader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }
  absl::Span<const uint8_t> rest() const { return bytes_; }

  absl::Span<const uint8_t> Bytes(uint64_t count) {
    if (count > bytes_.size()) {
      Fail();
      return {};
    }
    const auto taken = bytes_.subspan(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  uint8_t Byte() {
    const auto byte = Bytes(1);
    return byte.empty() ? 0 : byte[0];
  }

  uint64_t Unsigned() {
    uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const uint8_t byte = Byte();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail();
    return 0;
  }

  // Those that do not fit fail, too.
  int32_t Int() { return Fitting(static_cast<int64_t>(Unsigned())); }
  int32_t SignedInt() {
    const uint64_t value = Unsigned();
    return Fitting(static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1));
  }

  float Float() {
    float value = 0;
    if (const auto bytes = Bytes(sizeof(value)); !bytes.empty())
      std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }

  std::vector<float> Floats(uint64_t count) {
    if (count > left() / sizeof(float)) {
      Fail();
      return {};
    }
    std::vector<float> values(count);
    if (count > 0) std::memcpy(values.data(), bytes_.data(), count * sizeof(float));
    bytes_.remove_prefix(count * sizeof(float));
    return values;
  }

  std::string String() {
    const auto bytes = Bytes(Unsigned());
    return std::string(bytes.begin(), bytes.end());
  }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }

  int32_t Fitting(int64_t value) {
    if (value != static_cast<int32_t>(value)) Fail();
    return ok_ ? static_cast<int32_t>(value) : 0;
  }

  absl::Span<const uint8_t> bytes_;
  bool ok_ = true;
};

absl::Status CheckHeader(const PackedHeader& header, size_t size) {
  if (header.version > kPackedVersion)
    return absl::InvalidArgumentError(absl::StrCat("is of version ", header.version,
                                                   "; this program reads up to ", kPackedVersion));
  if (header.header_checksum != HeaderChecksum(header))
    return absl::DataLossError("its header is damaged");
  if (header.file_size != size)
    return absl::DataLossError(
        absl::StrCat("has ", size, " bytes, but had ", header.file_size, " when it was written"));
  if (header.version == 0 || header.unused != 0 || header.data % kDataAlignment != 0 ||
      header.data < sizeof(header) || header.data > size)
    return absl::InvalidArgumentError("its header makes no sense");
  return absl::OkStatus();
}

Window ReadWindow(ByteReader& from) {
  Window window;
  for (int32_t* v : {&window.kernel_h, &window.kernel_w, &window.stride_h, &window.stride_w})
    *v = from.Int();
  for (int32_t* v : {&window.pad_top, &window.pad_left}) *v = from.SignedInt();
  for (int32_t* v : {&window.dilation_h, &window.dilation_w, &window.out_h, &window.out_w})
    *v = from.Int();
  return window;
}

// What a node's description says of its arrays, which come later.
struct ArraySizes {
  uint64_t units = 0;
  bool norm = false;
};

void ReadConv(ByteReader& from, Node& node, ArraySizes& sizes) {
  node.window = ReadWindow(from);
  for (int32_t* v : {&node.out_channels, &node.groups, &node.weight_bits}) *v = from.Int();
  node.code = static_cast<WeightCode>(from.Byte());
  sizes.units = from.Unsigned();
  const uint8_t flags = from.Byte();
  node.relu = flags & kHasRelu;
  sizes.norm = flags & kHasNorm;
  node.activation.bits = from.Int();
  if (node.activation.bits == 32) return;
  node.activation.step = from.Float();
  node.activation.low = from.SignedInt();
  node.activation.high = from.SignedInt();
}

Node ReadNode(ByteReader& from, ArraySizes& sizes) {
  Node node;
  node.op = static_cast<Op>(from.Byte());
  node.name = from.String();
  for (uint64_t n = from.Unsigned(); n > 0 && from.ok(); --n) node.inputs.push_back(from.Int());
  if (node.op == Op::kConv) ReadConv(from, node, sizes);
  if (IsPool(node.op)) node.window = ReadWindow(from);
  if (node.op == Op::kLinear) node.out_channels = from.Int();
  return node;
}

absl::Status ReadDescription(ByteReader& from, PackedNetwork& network,
                             std::vector<ArraySizes>& sizes) {
  network.architecture = from.String();
  for (uint64_t n = from.Unsigned(); n > 0 && from.ok(); --n)
    network.classes.push_back(from.String());
  network.height = from.Int();
  network.width = from.Int();
  const uint8_t preparation = from.Byte();
  if (preparation > static_cast<uint8_t>(Preparation::kCenterCrop))
    return absl::InvalidArgumentError(absl::StrCat("unknown preparation ", preparation));
  network.preparation = static_cast<Preparation>(preparation);
  network.crop = from.Float();
  for (float& v : network.mean) v = from.Float();
  for (float& v : network.std) v = from.Float();
  const uint64_t nodes = from.Unsigned();
  if (nodes > kMostNodes) return absl::InvalidArgumentError(absl::StrCat("has ", nodes, " nodes"));
  for (uint64_t n = nodes; n > 0 && from.ok(); --n)
    network.nodes.push_back(ReadNode(from, sizes.emplace_back()));
  const auto rest = from.rest();
  if (!from.ok() || rest.size() >= kDataAlignment ||
      std::any_of(rest.begin(), rest.end(), [](uint8_t byte) { return byte != 0; }))
    return absl::InvalidArgumentError("its description does not end where it should");
  return absl::OkStatus();
}

void ReadArrays(ByteReader& from, const Shape& input, const ArraySizes& sizes, Node& node) {
  if (node.op == Op::kNorm) {
    node.scale = from.Floats(input.channels);
    node.shift = from.Floats(input.channels);
  }
  if (node.op != Op::kConv && node.op != Op::kLinear) return;
  const size_t count = NumWeights(node, input);
  if (node.op == Op::kConv && node.weight_bits != 32) {
    const size_t size = PackedBytes(count, node.weight_bits);
    const auto bytes = from.Bytes(size);
    if (from.ok()) node.weights = UnpackWeights(bytes, count, node.weight_bits, node.code);
    from.Bytes((kArrayAlignment - size % kArrayAlignment) % kArrayAlignment);
  } else {
    node.float_weights = from.Floats(count);
  }
  node.units = from.Floats(sizes.units);
  if (sizes.norm) node.scale = from.Floats(node.out_channels);
  if (sizes.norm || node.op == Op::kLinear) node.shift = from.Floats(node.out_channels);
}

absl::Status ReadData(ByteReader& from, const std::vector<ArraySizes>& sizes,
                      PackedNetwork& network) {
  ASSIGN_OR_RETURN(const Shapes shapes, InferShapes(network));
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    Node& node = network.nodes[i];
    ReadArrays(from, shapes.values[node.inputs[0]], sizes[i], node);
    if (!from.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("node ", i, " (", node.name, "): its numbers reach beyond the file"));
  }
  if (from.left() != 0)
    return absl::InvalidArgumentError(absl::StrCat("has ", from.left(), " bytes behind its data"));
  return CheckNetwork(network);
}

}  // namespace

absl::StatusOr<PackedNetwork> ParsePackedNetwork(absl::Span<const uint8_t> bytes) {
  PackedHeader header;
  if (bytes.size() < kPackedMagic.size() ||
      std::memcmp(bytes.data(), kPackedMagic.data(), kPackedMagic.size()) != 0)
    return absl::InvalidArgumentError("is no packed network");
  if (bytes.size() < sizeof(header)) return absl::DataLossError("ends within its header");
  std::memcpy(&header, bytes.data(), sizeof(header));
  RETURN_IF_ERROR(CheckHeader(header, bytes.size()));
  const auto body = bytes.subspan(sizeof(header));
  if (PackedChecksum(body.data(), body.size()) != header.body_checksum)
    return absl::DataLossError("is damaged: its checksum is not that of its content");

  PackedNetwork network;
  std::vector<ArraySizes> sizes;
  ByteReader description(body.subspan(0, header.data - sizeof(header)));
  RETURN_IF_ERROR(ReadDescription(description, network, sizes));
  ByteReader data(bytes.subspan(header.data));
  RETURN_IF_ERROR(ReadData(data, sizes, network));
  return network;
}

absl::StatusOr<PackedNetwork> ReadPackedNetwork(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  absl::StatusOr<PackedNetwork> network = ParsePackedNetwork(file.bytes());
  if (!network.ok())
    return absl::Status(network.status().code(),
                        absl::StrCat(path, ": ", network.status().message()));
  return network;
}

}  // namespace quant::runtime
