// Checksums and sizes are made right first, or no mutation would get past them. What can be read is
// run, if it is small.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "quant/runtime/network.h"
#include "quant/runtime/packed_format.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/packed_reader.h"

namespace {

using quant::runtime::PackedHeader;

void MakeHeaderRight(std::string& file) {
  PackedHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  header.file_size = file.size();
  header.body_checksum =
      quant::runtime::PackedChecksum(file.data() + sizeof(header), file.size() - sizeof(header));
  header.header_checksum = quant::runtime::HeaderChecksum(header);
  std::memcpy(file.data(), &header, sizeof(header));
}

// Whether its values are few, so that each input takes little time.
bool IsSmall(const quant::runtime::PackedNetwork& network) {
  const auto shapes = quant::runtime::InferShapes(network);
  double values = 0;
  for (const auto& shape : shapes->values) values += static_cast<double>(shape.size());
  double windows = 0;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const auto& window = network.nodes[i].window;
    windows +=
        static_cast<double>(shapes->values[i + 1].size()) * window.kernel_h * window.kernel_w;
  }
  return shapes->macs < 1e6 && values < 1e5 && windows < 1e6;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string file(reinterpret_cast<const char*>(bytes), size);
  if (size >= sizeof(PackedHeader)) MakeHeaderRight(file);
  auto packed = quant::runtime::ParsePackedNetwork(
      absl::MakeSpan(reinterpret_cast<const uint8_t*>(file.data()), file.size()));
  if (!packed.ok() || !IsSmall(*packed)) return 0;
  const auto network = quant::runtime::Network::Create(*std::move(packed));
  if (!network.ok()) return 0;
  const std::vector<float> image((*network)->image_size(), 0.25f);
  std::vector<float> logits((*network)->num_classes());
  (*network)->Run(image.data(), 1, logits.data());
  return 0;
}
