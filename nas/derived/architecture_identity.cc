#include "nas/derived/architecture_identity.h"

#include "nlohmann/json.hpp"

namespace nas {

nlohmann::json ArchitectureIdentity(const Architecture& architecture) {
  nlohmann::json identity = nlohmann::json::parse(ArchitectureToText(architecture));
  for (const char* field : {"build_id", "search", "cost"}) identity.erase(field);
  return identity;
}

}  // namespace nas
