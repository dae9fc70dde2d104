// A cell of a supernet: every edge carries every primitive, on a part of the channels.
#ifndef NAS_SUPERNET_SUPERNET_CELL_H_
#define NAS_SUPERNET_SUPERNET_CELL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "distributed/data_parallel/batch_norm.h"
#include "nas/fused/cell_spec.h"
#include "nas/operations/operations.h"
#include "nas/operations/unit_modules.h"
#include "nas/space/cell_topology.h"
#include "nas/supernet/architecture_parameters.h"
#include "nas/supernet/channel_order.h"
#include "nas/supernet/mixed_edge.h"
#include "nas/supernet/precision_parameters.h"
#include "quant/lattice.h"
#include "torch/nn/module.h"

namespace nas {

struct SupernetCellOptions {
  int64_t input0_channels;
  int64_t input1_channels;
  int64_t channels;  // Of each node: a multiple of partial_channels, even in a reduction cell.
  int64_t partial_channels;  // k: 1/k of the channels are processed, the others pass by.
  bool reduction;            // Halves the size.
  bool previous_reduction;   // Input 0 is twice as large as input 1.
  quant::EightBit eight_bit;
  std::vector<int64_t> bits = {};  // Of what the fused operator mixes.
  // Whether every edge processes channels that are drawn, see DrawChannels; else the first ones.
  bool random_channels = false;
};

// Children `preprocess0`, `preprocess1`, `_ops.<edge>` (PC-DARTS/model_search.py).
class SupernetCell : public torch::nn::Module {
 public:
  explicit SupernetCell(const SupernetCellOptions& options);

  // s0, s1: the outputs of the last cell but one and of the last cell, or of the stem. The result
  // has 4 * channels channels, and half of s1's height and width in a reduction cell.
  at::Tensor forward(const at::Tensor& s0, const at::Tensor& s1, const CellMixture& mixture,
                     const CellPrecision& precision);

  // With random_channels: the channels that each edge processes in training from now on, drawn from
  // LibTorch's default generator; the first ones until then, and in evaluation.
  void DrawChannels();

  // The same as one operator (nas/fused), or nullopt and in `why_not` why it cannot be. The rows
  // are the cell's: CellPlan's order, [rows, bits]; undefined for a single candidate.
  std::optional<at::Tensor> ForwardFused(const at::Tensor& s0, const at::Tensor& s1,
                                         const CellMixture& mixture,
                                         const PrecisionParametersImpl::Probabilities& rows,
                                         std::string& why_not);

  const std::shared_ptr<Operation>& preprocess(int input) const { return preprocess_[input]; }
  const std::shared_ptr<MixedEdge>& edge(int edge) const { return edges_[edge]; }
  bool reduction() const { return options_.reduction; }

 private:
  // Of the edges that leave a state.
  int64_t Stride(int state) const { return options_.reduction && state < kCellInputs ? 2 : 1; }
  // A node of `states` whose edges process channels of their own.
  at::Tensor SampledNode(int node, const std::vector<at::Tensor>& states,
                         const CellMixture& mixture, const CellPrecision& precision);
  // Finds in the modules what the fused operator needs.
  void MakeFused();
  void NoteUnitSizes(const at::Tensor& s0, const at::Tensor& s1) const;

  SupernetCellOptions options_;
  std::array<std::shared_ptr<Operation>, kCellInputs> preprocess_;
  std::array<std::shared_ptr<MixedEdge>, kCellEdges> edges_;
  std::vector<ChannelOrder> orders_;  // By edge; with random_channels.

  fused::CellSpec fused_;
  std::vector<UnitModules> units_;  // By unit of the plan.
  std::vector<distributed::BatchNorm2dImpl*> norms_;
};

}  // namespace nas

#endif  // NAS_SUPERNET_SUPERNET_CELL_H_
