#include "tests/golden/groups/genotype_groups.h"

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "nas/derivation/genotype_derivation.h"
#include "nas/space/primitives.h"

namespace golden {
namespace {

void CheckEdges(const GoldenFile& file, const std::string& prefix, const nas::CellGenotype& cell,
                Comparison& comparison) {
  std::vector<int64_t> primitives, predecessors;
  for (const nas::GenotypeEdge& edge : cell.edges) {
    primitives.push_back(static_cast<int64_t>(edge.primitive));
    predecessors.push_back(edge.predecessor);
  }
  const auto integers = [&file](const std::string& key) {
    const at::Tensor values = file.Tensor(key).contiguous();
    return std::vector<int64_t>(values.const_data_ptr<int64_t>(),
                                values.const_data_ptr<int64_t>() + values.numel());
  };
  comparison.Equal(prefix + "_ops", primitives, integers(prefix + "_ops"));
  comparison.Equal(prefix + "_idx", predecessors, integers(prefix + "_idx"));
}

void CheckGenotypes(const GoldenFile& file, const GenotypeDerivation& derive,
                    Comparison& comparison) {
  std::set<std::string> sets;
  for (const auto& [key, tensor] : file.tensors) {
    if (absl::StrContains(key, "/")) sets.insert(key.substr(0, key.find('/')));
  }
  for (const std::string& set : sets) {
    const auto genotype =
        derive(file.Tensor(set + "/alphas_normal"), file.Tensor(set + "/alphas_reduce"),
               file.Tensor(set + "/betas_normal"), file.Tensor(set + "/betas_reduce"));
    if (!genotype.ok()) throw std::invalid_argument(genotype.status().ToString());
    const std::string text = file.Text(set + "/genotype");
    comparison.Equal(set + "/genotype", nas::GenotypeToText(*genotype), text);
    comparison.Equal(set + "/genotype read back", *nas::ParseGenotype(text), *genotype);
    CheckEdges(file, set + "/normal", genotype->normal, comparison);
    CheckEdges(file, set + "/reduce", genotype->reduce, comparison);
  }
}

}  // namespace

std::vector<Group> GenotypeGroups(const GenotypeDerivation& derive) {
  return {{"genotypes\\.pt", [derive](const GoldenFile& file, Comparison& comparison) {
             CheckGenotypes(file, derive, comparison);
           }}};
}

std::vector<Group> GenotypeGroups() { return GenotypeGroups(nas::DeriveGenotype); }

}  // namespace golden
