// The logits that a search turns into bit widths: gamma chooses, for activations and for weights
// apart, among the candidate bits of each cell's preprocessing and of each primitive on each edge.
// All convolutions of a primitive share its row.
#ifndef NAS_SUPERNET_PRECISION_PARAMETERS_H_
#define NAS_SUPERNET_PRECISION_PARAMETERS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/space/cell_topology.h"
#include "nas/space/primitives.h"
#include "quant/precision.h"
#include "torch/nn/module.h"
#include "torch/nn/pimpl.h"

namespace nas {

// The precisions of one cell's convolutions.
struct CellPrecision {
  std::array<quant::Precision, kCellInputs> preprocess;
  // By edge and GammaRow.
  std::array<std::array<quant::Precision, kNumGammaRows>, kCellEdges> edges;
};

// The shape of a chain of cells.
struct CellCount {
  int normal = 0;
  int reduction = 0;

  static CellCount OfLayers(int layers);
};

// gamma_{activ,weight}_cell{n,r}_preprocess{0,1} [cells, bits] and gamma_{activ,weight}_cell{n,r}
// [cells, 14, 6, bits], named and shaped as in the published code (QDARTS/model_search.py), normal
// (n) and reduction (r) cells counted apart; start as `start` N(0, 1) of LibTorch's default generator.
// With a single candidate there is nothing to choose and there are no parameters.
class PrecisionParametersImpl : public torch::nn::Module {
 public:
  PrecisionParametersImpl(CellCount cells, std::vector<int64_t> bits, double start = 1e-3);

  // A row is one choice among the bits. Every row of every tensor has a number: normal cells first,
  // in each kind preprocess0, preprocess1, then the edges, in each tensor as it lies in memory.
  int64_t num_rows() const { return FirstRow(true) + KindRows(cells_.reduction); }
  int64_t PreprocessRow(bool reduction, int cell, int input) const;
  int64_t EdgeRow(bool reduction, int cell, int edge, int gamma_row) const;

  // Softmaxes of all rows: [num_rows, bits], differentiable; with a single candidate, undefined.
  struct Probabilities {
    at::Tensor activation, weight;
  };
  Probabilities Softmax() const;

  // The precision of every row, given Softmax().
  std::vector<quant::Precision> Rows(const Probabilities& probabilities) const;

  // The part of Softmax() that a cell needs: preprocess0, preprocess1, then the edges, by GammaRow;
  // `cell` counts cells of its kind.
  Probabilities RowsOfCell(const Probabilities& probabilities, bool reduction, int cell) const;

  // The part of Rows() that a cell needs; `cell` counts cells of its kind.
  CellPrecision OfCell(const std::vector<quant::Precision>& rows, bool reduction, int cell) const;

  const std::vector<int64_t>& bits() const { return bits_; }

 private:
  static int64_t KindRows(int cells) { return cells * (kCellInputs + kCellEdges * kNumGammaRows); }
  int64_t FirstRow(bool reduction) const { return reduction ? KindRows(cells_.normal) : 0; }

  CellCount cells_;
  std::vector<int64_t> bits_;
  std::vector<at::Tensor> activation_, weight_;  // In the order of their rows.
};
TORCH_MODULE(PrecisionParameters);

}  // namespace nas

#endif  // NAS_SUPERNET_PRECISION_PARAMETERS_H_
