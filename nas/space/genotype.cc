#include "nas/space/genotype.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "nas/space/genotype_text.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;

absl::Status ValidateCell(absl::string_view name, const CellGenotype& cell) {
  const int64_t num_edges = cell.edges.size();
  if (num_edges == 0 || num_edges % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": has ", num_edges, " operations; expected two for each of one or more nodes"));
  }
  for (int64_t i = 0; i < num_edges; ++i) {
    const int64_t last = 1 + i / 2;
    if (cell.edges[i].predecessor < 0 || cell.edges[i].predecessor > last) {
      return absl::InvalidArgumentError(absl::StrCat(name, "[", i, "]: predecessor ",
                                                     cell.edges[i].predecessor, " of node ", i / 2,
                                                     "; expected 0..", last));
    }
  }
  if (cell.concat.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, "_concat: is empty"));
  }
  std::set<int64_t> seen;
  for (size_t i = 0; i < cell.concat.size(); ++i) {
    const int64_t state = cell.concat[i];
    const int64_t last = 1 + num_edges / 2;
    if (state < 2 || state > last || !seen.insert(state).second) {
      return absl::InvalidArgumentError(absl::StrCat(name, "_concat[", i, "]: is ", state,
                                                     "; expected distinct nodes of 2..", last));
    }
  }
  return absl::OkStatus();
}

std::string EdgesToText(const std::vector<GenotypeEdge>& edges) {
  const auto format = [](std::string* out, const GenotypeEdge& edge) {
    absl::StrAppend(out, "('", PrimitiveName(edge.primitive), "', ", edge.predecessor, ")");
  };
  return absl::StrCat("[", absl::StrJoin(edges, ", ", format), "]");
}

std::string ConcatToText(const std::vector<int64_t>& concat) {
  const auto has_gap = [](int64_t a, int64_t b) { return b != a + 1; };
  if (std::adjacent_find(concat.begin(), concat.end(), has_gap) != concat.end()) {
    return absl::StrCat("[", absl::StrJoin(concat, ", "), "]");
  }
  return absl::StrCat("range(", concat.front(), ", ", concat.back() + 1, ")");
}

Json EdgesToJson(const std::vector<GenotypeEdge>& edges) {
  Json json = Json::array();
  for (const GenotypeEdge& edge : edges) {
    json.push_back({std::string(PrimitiveName(edge.primitive)), edge.predecessor});
  }
  return json;
}

absl::StatusOr<const Json*> Field(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": expected an array", found == json.end() ? ", but it is missing" : ""));
  }
  return &*found;
}

absl::StatusOr<CellGenotype> CellFromJson(const Json& json, const std::string& name) {
  CellGenotype cell;
  ASSIGN_OR_RETURN(const Json* edges, Field(json, name));
  for (const Json& edge : *edges) {
    const std::string position = absl::StrCat(name, "[", cell.edges.size(), "]");
    if (!edge.is_array() || edge.size() != 2 || !edge[0].is_string() ||
        !edge[1].is_number_integer()) {
      return absl::InvalidArgumentError(
          absl::StrCat(position, ": expected [\"primitive\", predecessor]"));
    }
    const auto primitive = ParsePrimitive(edge[0].get<std::string>());
    if (!primitive.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(position, ": ", primitive.status().message()));
    }
    cell.edges.push_back({*primitive, edge[1].get<int64_t>()});
  }
  ASSIGN_OR_RETURN(const Json* concat, Field(json, absl::StrCat(name, "_concat")));
  for (const Json& state : *concat) {
    if (!state.is_number_integer()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, "_concat[", cell.concat.size(), "]: expected an integer"));
    }
    cell.concat.push_back(state.get<int64_t>());
  }
  return cell;
}

}  // namespace

absl::Status ValidateGenotype(const Genotype& genotype) {
  RETURN_IF_ERROR(ValidateCell("normal", genotype.normal));
  return ValidateCell("reduce", genotype.reduce);
}

std::string GenotypeToText(const Genotype& genotype) {
  return absl::StrCat("Genotype(normal=", EdgesToText(genotype.normal.edges),
                      ", normal_concat=", ConcatToText(genotype.normal.concat),
                      ", reduce=", EdgesToText(genotype.reduce.edges),
                      ", reduce_concat=", ConcatToText(genotype.reduce.concat), ")");
}

Json GenotypeToJson(const Genotype& genotype) {
  return {{"normal", EdgesToJson(genotype.normal.edges)},
          {"normal_concat", genotype.normal.concat},
          {"reduce", EdgesToJson(genotype.reduce.edges)},
          {"reduce_concat", genotype.reduce.concat}};
}

absl::StatusOr<Genotype> GenotypeFromJson(const Json& json) {
  if (!json.is_object()) {
    return absl::InvalidArgumentError(
        "expected an object with normal, normal_concat, reduce, reduce_concat");
  }
  for (const auto& [name, value] : json.items()) {
    if (name != "normal" && name != "normal_concat" && name != "reduce" &&
        name != "reduce_concat") {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": unknown field; expected normal, normal_concat, reduce, reduce_concat"));
    }
  }
  Genotype genotype;
  ASSIGN_OR_RETURN(genotype.normal, CellFromJson(json, "normal"));
  ASSIGN_OR_RETURN(genotype.reduce, CellFromJson(json, "reduce"));
  RETURN_IF_ERROR(ValidateGenotype(genotype));
  return genotype;
}

absl::StatusOr<Genotype> ParseGenotype(absl::string_view text) {
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{")) {
    ASSIGN_OR_RETURN(const Json json, GenotypeTextToJson(text));
    return GenotypeFromJson(json);
  }
  try {
    return GenotypeFromJson(Json::parse(text.begin(), text.end()));
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("character ", error.byte, ": malformed JSON"));
  }
}

}  // namespace nas
