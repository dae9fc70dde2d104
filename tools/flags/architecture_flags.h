// The flags that say which network a tool builds.
#ifndef TOOLS_FLAGS_ARCHITECTURE_FLAGS_H_
#define TOOLS_FLAGS_ARCHITECTURE_FLAGS_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "nas/derived/architecture.h"
#include "nas/space/genotype.h"
#include "tools/flags/data_flags.h"

namespace tools {

// What --network names: a fixed network, with bits from --abits and --wbits, or the file of one.
// Else what --architecture names: a file, its bits replaced if --abits, --wbits or --quantize_stem
// is given; or a genotype, with --channels, --layers and bits from --abits and --wbits or from
// --gammas. `classes` is what the data has; without, only a file says how many there are.
// InvalidArgument naming the flag that is missing, wrong or contradicts another, or the file's
// field.
absl::StatusOr<nas::Architecture> ArchitectureFromFlags(std::optional<int64_t> classes);

// The genotype of what --architecture names.
absl::StatusOr<nas::Genotype> GenotypeFromFlags();

inline InputShape InputShapeOf(const nas::Architecture& architecture) {
  return {.images = architecture.network.images, .side = architecture.network.image_side};
}

}  // namespace tools

#endif  // TOOLS_FLAGS_ARCHITECTURE_FLAGS_H_
