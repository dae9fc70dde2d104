// What a run runs on, for people: noted, never compared.
#ifndef DISTRIBUTED_TRAINING_RUN_ENVIRONMENT_H_
#define DISTRIBUTED_TRAINING_RUN_ENVIRONMENT_H_

#include <cstdint>

#include "nlohmann/json_fwd.hpp"

namespace distributed {

// {"ranks", "threads" of a rank, "processor", "instruction_set" that LibTorch uses, "torch"}; a
// processor that the system does not name is left out.
nlohmann::ordered_json RunEnvironment(int ranks);

// The most memory this process has had resident, in bytes.
int64_t PeakMemoryBytes();

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_RUN_ENVIRONMENT_H_
