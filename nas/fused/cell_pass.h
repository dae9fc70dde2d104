// What the forward pass of a fused cell computes with, and leaves for its backward pass.
#ifndef NAS_FUSED_CELL_PASS_H_
#define NAS_FUSED_CELL_PASS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "nas/fused/cell_plan.h"
#include "nas/fused/cell_spec.h"
#include "nas/fused/normalization.h"
#include "nas/fused/quantizer_set.h"
#include "nas/fused/unit_pass.h"

namespace nas::fused {

template <typename T>
struct CellPass {
  explicit CellPass(const CellSpec& spec) : cell(spec), plan(*spec.plan) {}

  const CellSpec cell;
  const CellPlan& plan;
  bool training = true;

  // Sizes: samples here and in the global batch; of the states that are inputs and of nodes.
  int64_t samples = 0;
  double global_samples = 0;
  int64_t height = 0, width = 0, out_height = 0, out_width = 0;
  std::array<int64_t, kCellInputs> input_height, input_width;

  // What the operator was given.
  std::array<const T*, kCellInputs> inputs;
  const T* weights = nullptr;
  std::vector<T> primitive_weights;  // [14, 8]
  std::vector<T> edge_weights;       // [14]
  T* out = nullptr;                  // [N, 4 C, H, W]

  // Kept in `memory`.
  std::shared_ptr<void> memory;
  std::array<T*, kCellInputs> preprocessed;            // [N, C, H, W] each, normalized.
  std::vector<T*> pointwise;                           // By unit: [N, out, H, W], not normalized.
  std::array<std::array<T*, 2>, kSourceStates> pools;  // By state: maximum, average; [N, P, H, W].
  std::array<T*, kCellInputs> bypass;                  // [N, C - P, H, W] at stride 2; else null.

  std::vector<Fold<T>> folds;  // By unit.
  // By edge, maximum and average. In training those of one state are equal.
  std::array<std::array<Fold<T>, 2>, kCellEdges> pool_folds;
  // By unit, of its two convolutions.
  std::vector<std::array<QuantizerSet<T>, 2>> quantizers;

  int64_t out_size() const { return out_height * out_width; }
  int64_t state_size(int state) const { return state < kCellInputs ? height * width : out_size(); }
  int64_t state_height(int state) const { return state < kCellInputs ? height : out_height; }
  int64_t state_width(int state) const { return state < kCellInputs ? width : out_width; }
  // The first channel of a state's sample.
  T* State(int state, int64_t sample) const {
    const int64_t channels = plan.options.channels;
    if (state < kCellInputs) return preprocessed[state] + sample * channels * height * width;
    return out + (sample * kCellNodes + state - kCellInputs) * channels * out_size();
  }
  // Values by channel of a unit's output.
  int64_t unit_out_size(const Unit& unit) const {
    return unit.edge < 0 ? height * width : out_size();
  }
  UnitConvs<T> ConvsOf(int unit) const {
    const T* first = weights + plan.units[unit].weights_at;
    return {{first, first + plan.units[unit].shape.first_weights()},
            {quantizers[unit][0].Mixture(), quantizers[unit][1].Mixture()}};
  }

  // What a unit reads of a sample.
  UnitInput<T> InputOf(const Unit& unit, int64_t sample) const {
    const int64_t in = unit.shape.in;
    if (unit.edge < 0) {
      const int64_t h = input_height[unit.input], w = input_width[unit.input];
      return {{inputs[unit.input] + sample * in * h * w, h * w}, h, w, {}};
    }
    if (unit.previous >= 0) {
      const Fold<T>& fold = folds[unit.previous];
      return {{pointwise[unit.previous] + sample * in * out_size(), out_size()},
              out_height,
              out_width,
              {fold.scale.data(), fold.shift.data(), true}};
    }
    return {{State(unit.input, sample), state_size(unit.input)},
            state_height(unit.input),
            state_width(unit.input),
            {}};
  }
  T PrimitiveWeight(int edge, int primitive) const {
    return primitive_weights[edge * kNumSearchPrimitives + primitive];
  }
};

// The tensors of a pass, as ApplyFusedCell has them; probabilities as values, empty if there is one
// candidate.
template <typename T>
void RunForward(CellPass<T>& pass, const std::vector<T>& activation_probabilities);

// Which gradients are wanted, and where they go.
template <typename T>
struct CellGradients {
  const T* out = nullptr;                        // The output's, [N, 4 C, H, W].
  std::array<T*, kCellInputs> inputs = {};       // Null: not wanted.
  T* weights = nullptr;                          // Null: not wanted.
  std::vector<double> activation_probabilities;  // [rows, bits]; empty: not wanted.
  std::vector<double> primitive_weights;         // [14, 8]
  std::vector<double> edge_weights;              // [14]
  bool architecture = false;                     // Whether the last two are wanted.
};
template <typename T>
void RunBackward(const CellPass<T>& pass, CellGradients<T>& gradients);

}  // namespace nas::fused

#endif  // NAS_FUSED_CELL_PASS_H_
