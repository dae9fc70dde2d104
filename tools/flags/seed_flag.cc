#include "tools/flags/seed_flag.h"

#include "gflags/gflags.h"
#include "tools/flags/flag_ranges.h"

DEFINE_uint64(seed, 2, "Decides initial values, order of samples, augmentation and drop path.");
FLAG_RANGE(seed, tools::AtLeast(0));

namespace tools {

uint64_t SeedFromFlags() { return FLAGS_seed; }

}  // namespace tools
