// --seed, of every tool that draws anything.
#ifndef TOOLS_FLAGS_SEED_FLAG_H_
#define TOOLS_FLAGS_SEED_FLAG_H_

#include <cstdint>

namespace tools {

uint64_t SeedFromFlags();

}  // namespace tools

#endif  // TOOLS_FLAGS_SEED_FLAG_H_
