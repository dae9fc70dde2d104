// The flags of every tool that reads images from a server.
#ifndef TOOLS_FLAGS_STORAGE_FLAGS_H_
#define TOOLS_FLAGS_STORAGE_FLAGS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/io/byte_source.h"

namespace tools {

// What opens `location`, as --io_timeout, --io_depth, --run_memory, --cache_dir and --cache_size
// say; null for a path. InvalidArgument, or as data::NodeCache::Open, naming the flag.
absl::StatusOr<std::shared_ptr<data::ByteStore>> StoreFromFlags(const std::string& location);

}  // namespace tools

#endif  // TOOLS_FLAGS_STORAGE_FLAGS_H_
