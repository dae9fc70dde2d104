// Reads packed networks, from wherever they may come.
#ifndef QUANT_RUNTIME_PACKED_READER_H_
#define QUANT_RUNTIME_PACKED_READER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "quant/runtime/packed_network.h"

namespace quant::runtime {

// InvalidArgument for bytes that are no packed network, of a newer version, or say what cannot be;
// DataLoss if they are damaged. The message says what is wrong. Never takes more memory than a
// small multiple of the bytes.
absl::StatusOr<PackedNetwork> ParsePackedNetwork(absl::Span<const uint8_t> bytes);

// The same from a file, which is mapped, not copied; errors name the path.
absl::StatusOr<PackedNetwork> ReadPackedNetwork(const std::string& path);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_PACKED_READER_H_
