// What decides a network's results, to compare runs by.
#ifndef NAS_DERIVED_ARCHITECTURE_IDENTITY_H_
#define NAS_DERIVED_ARCHITECTURE_IDENTITY_H_

#include "nas/derived/architecture.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

// The network, genotype and bits of the architecture file, with its names; neither the search that
// led to them, nor the build that wrote them, nor what they cost.
nlohmann::json ArchitectureIdentity(const Architecture& architecture);

}  // namespace nas

#endif  // NAS_DERIVED_ARCHITECTURE_IDENTITY_H_
