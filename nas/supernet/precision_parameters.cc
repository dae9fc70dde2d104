#include "nas/supernet/precision_parameters.h"

#include <optional>
#include <utility>

#include "ATen/ops/cat.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/softmax.h"
#include "nas/space/gamma_names.h"

namespace nas {
namespace {

at::Tensor SoftmaxOfRows(const std::vector<at::Tensor>& gammas) {
  std::vector<at::Tensor> rows;
  rows.reserve(gammas.size());
  for (const at::Tensor& gamma : gammas) rows.push_back(gamma.reshape({-1, gamma.size(-1)}));
  return at::cat(rows).softmax(1);
}

}  // namespace

CellCount CellCount::OfLayers(int layers) {
  CellCount count;
  for (int cell = 0; cell < layers; ++cell) {
    ++(IsReductionCell(cell, layers) ? count.reduction : count.normal);
  }
  return count;
}

PrecisionParametersImpl::PrecisionParametersImpl(CellCount cells, std::vector<int64_t> bits,
                                                 double start_scale)
    : cells_(cells), bits_(std::move(bits)) {
  const int64_t n = bits_.size();
  if (n == 1) return;
  for (const bool reduction : {false, true}) {
    const int64_t count = reduction ? cells_.reduction : cells_.normal;
    const auto start = [&](std::optional<int> input, at::IntArrayRef shape) {
      activation_.push_back(register_parameter(GammaName(GammaOf::kActivation, reduction, input),
                                               at::randn(shape).mul_(start_scale)));
      weight_.push_back(register_parameter(GammaName(GammaOf::kWeight, reduction, input),
                                           at::randn(shape).mul_(start_scale)));
    };
    start(0, {count, n});
    start(1, {count, n});
    start(std::nullopt, {count, kCellEdges, kNumGammaRows, n});
  }
}

int64_t PrecisionParametersImpl::PreprocessRow(bool reduction, int cell, int input) const {
  const int count = reduction ? cells_.reduction : cells_.normal;
  return FirstRow(reduction) + input * count + cell;
}

int64_t PrecisionParametersImpl::EdgeRow(bool reduction, int cell, int edge, int gamma_row) const {
  const int count = reduction ? cells_.reduction : cells_.normal;
  return FirstRow(reduction) + kCellInputs * count + (cell * kCellEdges + edge) * kNumGammaRows +
         gamma_row;
}

PrecisionParametersImpl::Probabilities PrecisionParametersImpl::Softmax() const {
  if (bits_.size() == 1) return {};
  return {SoftmaxOfRows(activation_), SoftmaxOfRows(weight_)};
}

std::vector<quant::Precision> PrecisionParametersImpl::Rows(
    const Probabilities& probabilities) const {
  if (bits_.size() == 1) {
    return std::vector<quant::Precision>(num_rows(), quant::Precision::Fixed(bits_[0], bits_[0]));
  }
  const std::vector<at::Tensor> activation = probabilities.activation.unbind();
  const std::vector<at::Tensor> weight = probabilities.weight.unbind();
  std::vector<quant::Precision> rows;
  rows.reserve(activation.size());
  for (size_t row = 0; row < activation.size(); ++row) {
    rows.push_back(quant::Precision::Mixed(bits_, activation[row], weight[row]));
  }
  return rows;
}

PrecisionParametersImpl::Probabilities PrecisionParametersImpl::RowsOfCell(
    const Probabilities& probabilities, bool reduction, int cell) const {
  if (bits_.size() == 1) return {};
  const auto of = [&](const at::Tensor& rows) {
    return at::cat({rows.narrow(0, PreprocessRow(reduction, cell, 0), 1),
                    rows.narrow(0, PreprocessRow(reduction, cell, 1), 1),
                    rows.narrow(0, EdgeRow(reduction, cell, 0, 0), kCellEdges * kNumGammaRows)});
  };
  return {of(probabilities.activation), of(probabilities.weight)};
}

CellPrecision PrecisionParametersImpl::OfCell(const std::vector<quant::Precision>& rows,
                                              bool reduction, int cell) const {
  CellPrecision precision;
  for (int input = 0; input < kCellInputs; ++input) {
    precision.preprocess[input] = rows[PreprocessRow(reduction, cell, input)];
  }
  for (int edge = 0; edge < kCellEdges; ++edge) {
    for (int row = 0; row < kNumGammaRows; ++row) {
      precision.edges[edge][row] = rows[EdgeRow(reduction, cell, edge, row)];
    }
  }
  return precision;
}

}  // namespace nas
