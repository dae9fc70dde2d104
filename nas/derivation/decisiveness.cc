#include "nas/derivation/decisiveness.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/tensor.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "nas/derivation/genotype_derivation.h"
#include "nas/space/cell_topology.h"
#include "nas/space/gamma_names.h"
#include "nas/space/genotype.h"
#include "nas/space/primitives.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

constexpr char kOperations[] = "operations", kEdges[] = "edges";

absl::StatusOr<at::Tensor> Find(const base::TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return absl::InvalidArgumentError(absl::StrCat("no tensor ", name));
  return found->second.detach().to(at::kCPU, at::kDouble);
}

// Of the 14 x 6 rows that a cell has for its edges, the numbers of those that a convolution reads.
std::vector<int64_t> RowsRead(bool reduction) {
  std::vector<int64_t> rows;
  for (int node = 0; node < kCellNodes; ++node) {
    for (int state = 0; state < NumEdges(node); ++state) {
      for (const Primitive primitive : kSearchPrimitives) {
        const std::optional<int> row = GammaRow(primitive);
        const bool identity =
            primitive == Primitive::kSkipConnect && !(reduction && state < kCellInputs);
        if (row && !identity) rows.push_back(EdgeIndex(node, state) * kNumGammaRows + *row);
      }
    }
  }
  return rows;
}

// [rows, choices] of those that choose something: 'none' is never chosen, and gammas of what has no
// convolution choose nothing.
at::Tensor Rows(const std::string& name, const std::string& kind, const at::Tensor& logits) {
  const int64_t choices = logits.size(-1);
  if (kind == kOperations) return logits.reshape({-1, choices}).slice(1, 1);
  if (logits.dim() != 4) return logits.reshape({-1, choices});
  const bool reduction =
      name == GammaName(GammaOf::kActivation, true) || name == GammaName(GammaOf::kWeight, true);
  return logits.reshape({-1, kCellEdges * kNumGammaRows, choices})
      .index_select(1, at::tensor(RowsRead(reduction)))
      .reshape({-1, choices});
}

// The kind of choice that a tensor's rows are; empty for others.
std::string KindOf(const std::string& name) {
  if (absl::StartsWith(name, "alphas_")) return kOperations;
  if (!IsGammaName(name)) return "";
  return absl::StartsWith(name, "gamma_activ") ? "activation_bits" : "weight_bits";
}

at::Tensor Mirrored(const at::Tensor& start, const at::Tensor& now) { return now - 2 * start; }

void Add(const at::Tensor& start, const at::Tensor& now, Decisiveness& sum) {
  const auto largest = std::get<0>(now.topk(2, /*dim=*/1));
  const double n = static_cast<double>(now.size(0)), before = static_cast<double>(sum.rows);
  const auto mean = [&](double old_mean, double new_mean) {
    return (old_mean * before + new_mean * n) / (before + n);
  };
  const auto root_mean_square = [&](double old, const at::Tensor& values) {
    return std::sqrt(mean(old * old, values.square().mean().item<double>()));
  };
  sum.margin =
      mean(sum.margin, (largest.select(1, 0) - largest.select(1, 1)).mean().item<double>());
  sum.movement = root_mean_square(sum.movement, now - start);
  sum.start = root_mean_square(sum.start, start);
  const at::Tensor moved = (now - start).ne(0).any(1);
  const at::Tensor same = now.argmax(1).eq(Mirrored(start, now).argmax(1));
  sum.decided += moved.logical_and(same).sum().item<int64_t>();
  sum.rows += now.size(0);
}

using State = std::map<std::string, at::Tensor>;

absl::StatusOr<Genotype> GenotypeOf(const State& state) {
  return DeriveGenotype(state.at("alphas_normal"), state.at("alphas_reduce"),
                        state.at("betas_normal"), state.at("betas_reduce"));
}

// How many edges of `a` are in `b`.
int64_t CommonEdges(const CellGenotype& a, const CellGenotype& b) {
  int64_t common = 0;
  for (size_t i = 0; i < a.edges.size(); ++i) {
    const auto node = b.edges.begin() + static_cast<int64_t>(i / 2 * 2);
    common += std::count(node, node + 2, a.edges[i]);
  }
  return common;
}

}  // namespace

absl::StatusOr<std::map<std::string, Decisiveness>> MeasureDecisiveness(
    const base::TensorMap& start, const base::TensorMap& now) {
  std::map<std::string, Decisiveness> result;
  State current, mirrored;
  for (const auto& [name, unused] : now) {
    const std::string kind = KindOf(name);
    const bool beta = absl::StartsWith(name, "betas_");
    if (kind.empty() && !beta) continue;
    ASSIGN_OR_RETURN(const at::Tensor before, Find(start, name));
    ASSIGN_OR_RETURN(const at::Tensor after, Find(now, name));
    if (before.sizes() != after.sizes()) {
      return absl::InvalidArgumentError(absl::StrCat(name, " has another shape than its start"));
    }
    if (!kind.empty() && after.numel() > 0) {
      Add(Rows(name, kind, before), Rows(name, kind, after), result[kind]);
    }
    current[name] = after;
    mirrored[name] = Mirrored(before, after);
  }
  if (current.contains("betas_normal") && current.contains("betas_reduce")) {
    ASSIGN_OR_RETURN(const Genotype found, GenotypeOf(current));
    ASSIGN_OR_RETURN(const Genotype other, GenotypeOf(mirrored));
    Decisiveness& edges = result[kEdges];
    edges.rows = static_cast<int64_t>(found.normal.edges.size() + found.reduce.edges.size());
    edges.decided =
        CommonEdges(found.normal, other.normal) + CommonEdges(found.reduce, other.reduce);
  }
  return result;
}

nlohmann::json ToJson(const std::map<std::string, Decisiveness>& decisiveness) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [kind, of] : decisiveness) {
    json[kind] = {{"rows", of.rows}, {"decided", of.decided}};
    if (kind == kEdges) continue;
    json[kind]["margin"] = of.margin;
    json[kind]["movement"] = of.movement;
    json[kind]["start"] = of.start;
  }
  return json;
}

std::string DecisivenessText(const std::map<std::string, Decisiveness>& decisiveness) {
  return absl::StrJoin(decisiveness, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, absl::StrReplaceAll(entry.first, {{"_", " "}}), " ", entry.second.decided,
                    " of ", entry.second.rows);
  });
}

}  // namespace nas
