// What a search has chosen among the candidate bits: the largest entry of every gamma row.
#ifndef NAS_DERIVATION_GAMMA_CHOICES_H_
#define NAS_DERIVATION_GAMMA_CHOICES_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nas/space/cell_topology.h"

namespace nas {

class GammaChoices {
 public:
  // Indices of candidates.
  struct Choice {
    int64_t activation;
    int64_t weight;
  };

  // From gamma_{activ,weight}_cell{n,r}_preprocess{0,1} [cells, candidates] and
  // gamma_{activ,weight}_cell{n,r} [cells, 14, 6, candidates]; other tensors are passed over. Of
  // equal entries the first is chosen. InvalidArgument names a tensor that is missing or of another
  // shape, or the first entry that is NaN.
  static absl::StatusOr<GammaChoices> FromTensors(const base::TensorMap& gammas);

  // The published search's `gamma_checkpoint.t7`; errors as from ReadTensorFile and FromTensors,
  // naming the path.
  static absl::StatusOr<GammaChoices> Read(const std::string& path);

  int64_t num_candidates() const { return num_candidates_; }

  // How many normal or reduction cells were searched.
  int num_cells(bool reduction) const { return of_kind_[reduction].num_cells; }

  // `cell` counts cells of its kind.
  Choice Preprocess(bool reduction, int cell, int input) const;
  Choice Edge(bool reduction, int cell, int edge, int gamma_row) const;

 private:
  struct Kind {
    int num_cells = 0;
    std::array<std::vector<Choice>, kCellInputs> preprocess;
    std::vector<Choice> edges;
  };

  int64_t num_candidates_ = 0;
  std::array<Kind, 2> of_kind_;  // normal, reduction
};

}  // namespace nas

#endif  // NAS_DERIVATION_GAMMA_CHOICES_H_
