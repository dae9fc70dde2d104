// Writes packed networks.
#ifndef QUANT_RUNTIME_PACKED_WRITER_H_
#define QUANT_RUNTIME_PACKED_WRITER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "quant/runtime/packed_network.h"

namespace quant::runtime {

// The bytes of the file. InvalidArgument as from CheckNetwork.
absl::StatusOr<std::string> PackedBytesOf(const PackedNetwork& network);

// The same into a file, of which a reader sees all or nothing; errors name the path.
absl::Status WritePackedNetwork(const std::string& path, const PackedNetwork& network);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_PACKED_WRITER_H_
