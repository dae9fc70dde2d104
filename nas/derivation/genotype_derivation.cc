#include "nas/derivation/genotype_derivation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "ATen/ops/softmax.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nas/space/primitives.h"

namespace nas {
namespace {

constexpr int64_t kNumPrimitives = kNumSearchPrimitives;

absl::Status CheckFinite(const std::string& name, const at::Tensor& values) {
  const float* data = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (!std::isfinite(data[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": element ", i, " is ", data[i], "; expected finite values"));
    }
  }
  return absl::OkStatus();
}

// The last node's edges end where the tensor does.
bool IsNumberOfEdges(int64_t num_edges) {
  int64_t total = 0;
  for (int64_t inputs = 2; total < num_edges; ++inputs) total += inputs;
  return num_edges > 0 && total == num_edges;
}

absl::StatusOr<CellGenotype> DeriveCell(const std::string& cell_name, const at::Tensor& cell_alphas,
                                        const at::Tensor& cell_betas) {
  const int64_t num_edges = cell_betas.numel();
  if (cell_betas.dim() != 1 || !IsNumberOfEdges(num_edges)) {
    return absl::InvalidArgumentError(
        absl::StrCat("betas_", cell_name, ": expected one dimension of 2, 5, 9, 14 … edges"));
  }
  if (cell_alphas.sizes() != at::IntArrayRef{num_edges, kNumPrimitives}) {
    return absl::InvalidArgumentError(absl::StrCat("alphas_", cell_name, ": expected shape [",
                                                   num_edges, ", ", kNumPrimitives, "]"));
  }
  const at::Tensor alphas = cell_alphas.detach().to(at::kCPU, at::kFloat).contiguous();
  const at::Tensor betas = cell_betas.detach().to(at::kCPU, at::kFloat).contiguous();
  RETURN_IF_ERROR(CheckFinite(absl::StrCat("alphas_", cell_name), alphas));
  RETURN_IF_ERROR(CheckFinite(absl::StrCat("betas_", cell_name), betas));

  const at::Tensor alpha_probs = at::softmax(alphas, -1);
  CellGenotype cell;
  int64_t first = 0;
  for (int64_t inputs = 2; first < num_edges; first += inputs, ++inputs) {
    const at::Tensor beta_probs = at::softmax(betas.slice(0, first, first + inputs), -1);
    std::vector<int64_t> best(inputs);
    std::vector<float> strength(inputs);
    for (int64_t edge = 0; edge < inputs; ++edge) {
      const float* row = alpha_probs.data_ptr<float>() + (first + edge) * kNumPrimitives;
      const float beta = beta_probs.data_ptr<float>()[edge];
      for (int64_t k = 1; k < kNumPrimitives; ++k) {  // 0 is 'none'
        const float value = row[k] * beta;
        if (k == 1 || value > strength[edge]) {
          best[edge] = k;
          strength[edge] = value;
        }
      }
    }
    std::vector<int64_t> order(inputs);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return strength[a] > strength[b]; });
    for (int64_t edge : {order[0], order[1]}) {
      cell.edges.push_back({kSearchPrimitives[best[edge]], edge});
    }
    cell.concat.push_back(inputs);
  }
  return cell;
}

}  // namespace

absl::StatusOr<Genotype> DeriveGenotype(const at::Tensor& alphas_normal,
                                        const at::Tensor& alphas_reduce,
                                        const at::Tensor& betas_normal,
                                        const at::Tensor& betas_reduce) {
  Genotype genotype;
  ASSIGN_OR_RETURN(genotype.normal, DeriveCell("normal", alphas_normal, betas_normal));
  ASSIGN_OR_RETURN(genotype.reduce, DeriveCell("reduce", alphas_reduce, betas_reduce));
  return genotype;
}

}  // namespace nas
