// A genotype: the discrete cells a search ends with, as a value.
//
// Two forms are read and written, the published one and JSON:
//   Genotype(normal=[('sep_conv_3x3', 1), …], normal_concat=range(2, 6), reduce=[…],
//   reduce_concat=…)
//   {"normal": [["sep_conv_3x3", 1], …], "normal_concat": [2, 3, 4, 5], "reduce": […], …}
#ifndef NAS_SPACE_GENOTYPE_H_
#define NAS_SPACE_GENOTYPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nas/space/primitives.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

// One input of a node: `primitive` applied to the state `predecessor`.
struct GenotypeEdge {
  Primitive primitive;
  int64_t predecessor;
  bool operator==(const GenotypeEdge&) const = default;
};

// States 0 and 1 are the cell's inputs. Node i (0-based) is state 2 + i, the sum of edges 2i and
// 2i + 1. The cell's output is the concatenation of the states `concat`.
struct CellGenotype {
  std::vector<GenotypeEdge> edges;
  std::vector<int64_t> concat;
  bool operator==(const CellGenotype&) const = default;
};

struct Genotype {
  CellGenotype normal;
  CellGenotype reduce;
  bool operator==(const Genotype&) const = default;
};

// OK, or InvalidArgument naming the field and position: edges come in pairs, a node's predecessors
// are earlier states, and concat lists distinct nodes.
absl::Status ValidateGenotype(const Genotype& genotype);

// The published form, on one line. Consecutive concats are printed as a range.
std::string GenotypeToText(const Genotype& genotype);

nlohmann::ordered_json GenotypeToJson(const Genotype& genotype);

// The genotype in `json`, validated; InvalidArgument names the field and position.
absl::StatusOr<Genotype> GenotypeFromJson(const nlohmann::ordered_json& json);

// Reads either form, with any spacing; fields of the published form may come in any order.
// InvalidArgument names the character or the field and position.
absl::StatusOr<Genotype> ParseGenotype(absl::string_view text);

}  // namespace nas

#endif  // NAS_SPACE_GENOTYPE_H_
