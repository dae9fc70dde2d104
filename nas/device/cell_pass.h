// What the forward pass of a cell on a device computes with, and leaves for its backward pass.
// Every pointer is to the device's memory.
#ifndef NAS_DEVICE_CELL_PASS_H_
#define NAS_DEVICE_CELL_PASS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/device/kernels.h"
#include "nas/device/launcher.h"
#include "nas/fused/cell_plan.h"
#include "nas/fused/cell_spec.h"

namespace nas::device {

using fused::CellPlan;
using fused::CellSpec;
using fused::kSourceStates;
using fused::Unit;

// scale y + shift, by channel.
template <typename T>
struct Fold {
  T* scale;
  T* shift;
};

// Planes of a state, or of its gradient: those of the first sample, and from one to the next.
template <typename Value>
struct StatePlanes {
  Value* planes;
  int64_t sample;
};

template <typename T>
struct CellPass {
  CellPass(const CellSpec& spec, Launcher& runs) : cell(spec), plan(*spec.plan), launcher(runs) {}

  const CellSpec cell;
  const CellPlan& plan;
  Launcher& launcher;
  bool training = true;

  int64_t samples = 0;  // Of this rank.
  int height = 0, width = 0, out_height = 0, out_width = 0;
  std::array<int, kCellInputs> input_height, input_width;

  // What the operator was given.
  std::array<const T*, kCellInputs> inputs;
  const T* weights = nullptr;
  const T* probabilities = nullptr;      // [rows, bits]; null: a single candidate.
  const T* primitive_weights = nullptr;  // [14, 8]
  const T* edge_weights = nullptr;       // [14]
  T* out = nullptr;                      // [N, 4 C, H, W]

  at::Tensor memory;                                   // Of what follows.
  at::Tensor samples_over_ranks;                       // float64, [1]
  std::array<T*, kCellInputs> preprocessed;            // [N, C, H, W] each, normalized.
  std::vector<T*> pointwise;                           // By unit: [N, out, H, W], not normalized.
  std::array<std::array<T*, 2>, kSourceStates> pools;  // Maximum, average: [N, P, H, W].
  std::array<T*, kCellInputs> bypass;                  // [N, C - P, H, W] at stride 2; else null.
  std::vector<Fold<T>> folds;                          // By unit.
  std::array<std::array<Fold<T>, 2>, kCellEdges> pool_folds;
  std::vector<std::array<Candidate<T>*, 2>> candidates;  // By unit and convolution.

  at::TensorOptions options() const { return memory.options(); }
  at::TensorOptions double_options() const { return samples_over_ranks.options(); }

  int channels() const { return static_cast<int>(plan.options.channels); }
  int processed() const { return static_cast<int>(plan.processed()); }
  int bypassed() const { return channels() - processed(); }
  NodeLayout layout() const { return {channels(), processed()}; }
  int out_size() const { return out_height * out_width; }
  int state_height(int state) const { return state < kCellInputs ? height : out_height; }
  int state_width(int state) const { return state < kCellInputs ? width : out_width; }
  int state_size(int state) const { return state_height(state) * state_width(state); }
  Windows WindowsOf(int state) const {
    return {state_height(state), state_width(state), plan.stride(state)};
  }

  StatePlanes<T> State(int state) const {
    const int64_t size = int64_t{channels()} * state_size(state);
    if (state < kCellInputs) return {preprocessed[state], size};
    return {out + (state - kCellInputs) * size, kCellNodes * size};
  }
  const T* PrimitiveWeight(int edge, int primitive) const {
    return primitive_weights + edge * kNumSearchPrimitives + primitive;
  }
  BypassArgs<T> BypassOf(int edge, int state) const {
    if (plan.stride(state) == 2) {
      return {bypass[state], int64_t{bypassed()} * out_size(), edge_weights + edge};
    }
    const StatePlanes<T> planes = State(state);
    return {planes.planes + processed() * state_size(state), planes.sample, edge_weights + edge};
  }
  TermArgs<T> TermOf(const fused::PlanTerm& term) const {
    const T* const weight = PrimitiveWeight(term.edge, term.primitive);
    if (term.pool >= 0) {
      const Fold<T>& fold = pool_folds[term.edge][term.pool];
      return {pools[term.state][term.pool], int64_t{processed()} * out_size(), fold.scale,
              fold.shift, weight};
    }
    if (term.unit >= 0) {
      const Fold<T>& fold = folds[term.unit];
      return {pointwise[term.unit], int64_t{processed()} * out_size(), fold.scale, fold.shift,
              weight};
    }
    const StatePlanes<T> planes = State(term.state);
    return {planes.planes, planes.sample, nullptr, nullptr, weight};
  }

  // A row of the probabilities; null: a single candidate.
  const T* ProbabilitiesOf(const Unit& unit) const {
    return probabilities == nullptr ? nullptr : probabilities + unit.row * cell.bits.size();
  }
  Mixture<T> MixtureOf(int index, int conv) const;
  UnitArgs<T> UnitOf(int index) const;
};

// The tensors of a pass, as ApplyCell has them.
template <typename T>
void RunForward(CellPass<T>& pass, const at::Tensor& like);

// Which gradients are wanted, and where they go; undefined: not wanted.
template <typename T>
struct CellGradients {
  const T* out = nullptr;                      // The output's, [N, 4 C, H, W].
  std::array<at::Tensor, kCellInputs> inputs;  // Like the inputs.
  bool want_weights = false;
  bool want_probabilities = false;
  bool want_architecture = false;
  // What was wanted, in float64: [weights], [rows, bits];
  at::Tensor weights, probabilities;
  // and in T, zeros where there is no term: [14, 8], [14].
  at::Tensor primitives, edges;
};
template <typename T>
void RunBackward(const CellPass<T>& pass, CellGradients<T>& gradients);

// [width]: the sums of values [N, width] over samples.
template <typename T>
void AddSamples(Launcher& launcher, const at::Tensor& values, const at::Tensor& sums);

// Over the ranks; the communicator may be null.
void SumOverRanks(distributed::Communicator* communicator, const at::Tensor& sums);

}  // namespace nas::device

#endif  // NAS_DEVICE_CELL_PASS_H_
