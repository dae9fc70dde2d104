// How much of what a search chose is the search's, and how much its initial draw's.
#ifndef NAS_DERIVATION_DECISIVENESS_H_
#define NAS_DERIVATION_DECISIVENESS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nlohmann/json_fwd.hpp"

namespace nas {

// Of one kind of choice; a row of logits is one choice, of its largest.
struct Decisiveness {
  int64_t rows = 0;
  // Of these, how many would choose the same had the draw been its mirror image: what the search
  // added to the start, the same added to minus the start. Without a draw (zeros) all that moved.
  int64_t decided = 0;
  double margin = 0;    // Mean over the rows: the largest logit less the next.
  double movement = 0;  // Root mean square over all logits, of what was added to the start
  double start = 0;     // and of the start.

  double Share() const { return rows == 0 ? 1 : static_cast<double>(decided) / rows; }
};

// `start`, `now`: the logits by name, before the search and now: alphas_{normal,reduce}, and gammas
// if there are any; others are passed over. "operations" (alphas, 'none' apart, which is never
// chosen), "activation_bits" and "weight_bits". With betas in both maps also "edges": those of the
// genotype, with their operations, that the mirrored start would have led to, too. InvalidArgument
// names a tensor that one map lacks or has in another shape.
absl::StatusOr<std::map<std::string, Decisiveness>> MeasureDecisiveness(
    const base::TensorMap& start, const base::TensorMap& now);

// {"operations": {"rows": 28, "decided": 20, "margin": …, "movement": …, "start": …}, …}
nlohmann::json ToJson(const std::map<std::string, Decisiveness>& decisiveness);

// "operations 20 of 28, weight bits 310 of 1024": by kind, in words.
std::string DecisivenessText(const std::map<std::string, Decisiveness>& decisiveness);

}  // namespace nas

#endif  // NAS_DERIVATION_DECISIVENESS_H_
