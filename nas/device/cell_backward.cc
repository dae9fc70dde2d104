#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "ATen/ops/empty.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros.h"
#include "nas/device/cell_pass.h"
#include "nas/fused/quantizer_set.h"
#include "quant/precision.h"

namespace nas::device {
namespace {

// direct g + slope y + constant, by channel.
template <typename T>
struct GradientFold {
  T *direct, *slope, *constant;
};

template <typename T>
class Backward {
 public:
  Backward(const CellPass<T>& pass, CellGradients<T>& gradients)
      : pass_(pass),
        plan_(pass.plan),
        gradients_(gradients),
        choices_(fused::NumCandidates(pass.cell.bits) + 1) {}

  void Run() {
    TakeMemory();
    for (int node = kCellNodes - 1; node >= 0; --node) {
      if (node + 1 < kCellNodes) FinishState(node + kCellInputs);
      BackwardOfNode(node);
    }
    for (int state = 0; state < kCellInputs; ++state) FinishState(state);
    BackwardOfPreprocessing();
    StoreSums();
  }

 private:
  int processed() const { return pass_.processed(); }
  void Launch(const Kernel<T>& kernel) { pass_.launcher.Launch(kernel); }

  // Of the device, until the pass is over.
  T* New(int64_t size) {
    memory_.push_back(at::empty({size}, pass_.options()));
    return memory_.back().template mutable_data_ptr<T>();
  }
  at::Tensor Zeros(at::IntArrayRef sizes) { return at::zeros(sizes, pass_.double_options()); }
  GradientFold<T> NewFold(int channels) {
    T* const direct = New(3 * channels);
    return {direct, direct + channels, direct + 2 * channels};
  }
  at::Tensor AddedSamples(const at::Tensor& by_sample) {
    const at::Tensor sums = at::empty({by_sample.size(1)}, pass_.double_options());
    AddSamples<T>(pass_.launcher, by_sample, sums);
    return sums;
  }

  void TakeMemory() {
    for (int state = 0; state < kSourceStates; ++state) {
      const int64_t size = int64_t{pass_.channels()} * pass_.state_size(state);
      state_gradients_[state] = {New(pass_.samples * size), size};
    }
    if (gradients_.want_weights) weight_sums_ = Zeros({pass_.samples, plan_.weights});
    if (gradients_.want_probabilities) {
      probability_sums_ = Zeros({pass_.samples, CellPlan::kRows * choices_});
    }
    if (gradients_.want_architecture) {
      gradients_.primitives = at::zeros({kCellEdges, kNumSearchPrimitives}, pass_.options());
      gradients_.edges = at::zeros({kCellEdges}, pass_.options());
    }
    pool_sums_ = Zeros({kSourceStates, 2, 2, processed()});
  }
  double* PoolSums(int state, int kind) const {
    return pool_sums_.template mutable_data_ptr<double>() + (state * 2 + kind) * 2 * processed();
  }

  // That of the last node is the output's.
  StatePlanes<const T> GradientOf(int state) const {
    if (state == kSourceStates) return OutGradientOf(state);
    return {state_gradients_[state].planes, state_gradients_[state].sample};
  }
  // What the cell's output gives to a node.
  StatePlanes<const T> OutGradientOf(int state) const {
    const int64_t size = int64_t{pass_.channels()} * pass_.out_size();
    return {gradients_.out + (state - kCellInputs) * size, kCellNodes * size};
  }

  FoldGradients<T> NoFolds() const {
    FoldGradients<T> folds{};
    folds.training = pass_.training;
    folds.samples = pass_.samples_over_ranks.template const_data_ptr<double>();
    return folds;
  }

  // The gradients of units, whose outputs' are given; of what they read into gx. norm_sums: [units,
  // in, 2] of each sample, or undefined.
  struct UnitTask {
    int index;
    OutputGradient<T> gradient;
    T* gx;
  };
  void BackwardOfUnits(const std::vector<UnitTask>& tasks, const std::vector<int>& norm_sums_at,
                       const at::Tensor& norm_sums) {
    UnitBackward<T> kernel{};
    kernel.samples = pass_.samples;
    for (const UnitTask& task : tasks) {
      const Unit& unit = plan_.units[task.index];
      const UnitArgs<T> args = pass_.UnitOf(task.index);
      if (unit.shape.kind == UnitKind::kSeparable) {
        kernel.scratch_size =
            std::max<int64_t>(kernel.scratch_size, int64_t{args.in()} * args.size());
      }
      const int at = norm_sums.defined() ? norm_sums_at[kernel.count] : -1;
      kernel.units[kernel.count++] = {
          args, task.gradient, task.gx, static_cast<int>(unit.weights_at), unit.row, at};
    }
    const at::Tensor scratch =
        at::empty({kernel.blocks() * 2 * kernel.scratch_size}, pass_.options());
    kernel.scratch = scratch.mutable_data_ptr<T>();
    if (weight_sums_.defined()) {
      kernel.weight_sums = weight_sums_.template mutable_data_ptr<double>();
    }
    kernel.weights = plan_.weights;
    if (probability_sums_.defined()) {
      kernel.probability_sums = probability_sums_.template mutable_data_ptr<double>();
    }
    kernel.rows = CellPlan::kRows;
    kernel.choices = choices_;
    if (norm_sums.defined()) {
      kernel.norm_sums = norm_sums.template mutable_data_ptr<double>();
      kernel.norm_width = norm_sums.size(1);
    }
    Launch(kernel);
  }

  // A unit's gradient of a state, which FinishState adds up.
  T* NewStateGradient(int state) {
    T* const gx = New(pass_.samples * processed() * pass_.state_size(state));
    unit_gradients_[state].push_back(gx);
    return gx;
  }

  void BackwardOfNode(int node) {
    const std::vector<fused::PlanTerm>& terms = plan_.terms[node];
    const int count = static_cast<int>(terms.size());
    const at::Tensor sums = NodeSums(node);
    const double* const sum = sums.const_data_ptr<double>();

    const StatePlanes<const T> g = GradientOf(node + kCellInputs);
    const int64_t plane = pass_.layout().partial() * pass_.out_size();
    FoldGradients<T> folds = NoFolds();
    std::vector<UnitTask> last_units;
    std::vector<int> norm_sums_at;
    int seconds = 0;
    for (int t = 0; t < count; ++t) {
      const fused::PlanTerm& term = terms[t];
      const TermArgs<T> args = pass_.TermOf(term);
      if (args.scale == nullptr) continue;
      const GradientFold<T> fold = NewFold(processed());
      folds.norms[folds.count++] = {
          .channels = processed(),
          .size = pass_.out_size(),
          .scale = args.scale,
          .shift = args.shift,
          .weight = args.weight,
          .sum = sum,
          .product = sum + (1 + t) * processed(),
          .gap = 1,
          .normalized = false,
          .direct = fold.direct,
          .slope = fold.slope,
          .constant = fold.constant,
          .pool_sums = term.pool < 0 ? nullptr : PoolSums(term.state, term.pool),
          .direct_is_one = false};
      if (term.unit < 0) continue;
      const bool second = plan_.units[term.unit].previous >= 0;
      T* const gx = second ? New(pass_.samples * processed() * pass_.out_size())
                           : NewStateGradient(term.state);
      norm_sums_at.push_back(second ? 2 * processed() * seconds++ : -1);
      last_units.push_back(
          {term.unit, {g.planes, g.sample, plane, fold.direct, fold.slope, fold.constant}, gx});
    }
    Launch(folds);

    const at::Tensor by_sample = Zeros({pass_.samples, int64_t{seconds} * 2 * processed()});
    BackwardOfUnits(last_units, norm_sums_at, by_sample);
    const at::Tensor norm_sums = AddedSamples(by_sample);
    if (pass_.training) SumOverRanks(pass_.cell.communicator, norm_sums);

    FoldGradients<T> first_folds = NoFolds();
    std::vector<UnitTask> first_units;
    const double* own = norm_sums.const_data_ptr<double>();
    const int64_t size = pass_.out_size();
    for (const UnitTask& task : last_units) {
      const int previous = plan_.units[task.index].previous;
      if (previous < 0) continue;
      const GradientFold<T> fold = NewFold(processed());
      first_folds.norms[first_folds.count++] = {.channels = processed(),
                                                .size = size,
                                                .scale = pass_.folds[previous].scale,
                                                .shift = pass_.folds[previous].shift,
                                                .weight = nullptr,
                                                .sum = own,
                                                .product = own + 1,
                                                .gap = 2,
                                                .normalized = false,
                                                .direct = fold.direct,
                                                .slope = fold.slope,
                                                .constant = fold.constant,
                                                .pool_sums = nullptr,
                                                .direct_is_one = false};
      own += 2 * processed();
      first_units.push_back(
          {previous,
           {task.gx, processed() * size, size, fold.direct, fold.slope, fold.constant},
           NewStateGradient(plan_.units[previous].input)});
    }
    Launch(first_folds);
    BackwardOfUnits(first_units, {}, {});
  }

  // Products' sums, over samples and, but for the gradients of alphas and betas, ranks.
  at::Tensor NodeSums(int node) {
    Products<T> products{};
    ArchitectureGradients<T> architecture{};
    for (const fused::PlanTerm& term : plan_.terms[node]) {
      architecture.places[products.num_terms] = term.edge * kNumSearchPrimitives + term.primitive;
      products.terms[products.num_terms++] = pass_.TermOf(term);
    }
    if (gradients_.want_architecture) {
      for (int state = 0; state < NumEdges(node); ++state) {
        products.edges[products.num_edges++] = pass_.BypassOf(EdgeIndex(node, state), state);
      }
    }
    const int64_t normalized = (1 + products.num_terms) * processed();
    const StatePlanes<const T> g = GradientOf(node + kCellInputs);
    products.g = g.planes;
    products.g_sample = g.sample;
    products.layout = pass_.layout();
    products.size = pass_.out_size();
    const at::Tensor sums = at::empty({normalized + products.num_edges}, pass_.double_options());
    Sum(products, sums);
    if (gradients_.want_architecture) {
      std::copy_n(products.terms, products.num_terms, architecture.terms);
      architecture.num_terms = products.num_terms;
      architecture.num_edges = products.num_edges;
      architecture.first_edge = EdgeIndex(node, 0);
      architecture.processed = processed();
      architecture.sums = sums.const_data_ptr<double>();
      architecture.primitives = gradients_.primitives.template mutable_data_ptr<T>();
      architecture.edges = gradients_.edges.template mutable_data_ptr<T>();
      Launch(architecture);
    }
    if (pass_.training) {
      SumOverRanks(pass_.cell.communicator, sums.narrow(0, 0, normalized));
    }
    return sums;
  }

  // Into `sums`, over samples.
  void Sum(Products<T> products, const at::Tensor& sums) {
    const at::Tensor by_sample = Zeros({pass_.samples, sums.numel()});
    products.sums = by_sample.mutable_data_ptr<double>();
    products.width = sums.numel();
    products.samples = pass_.samples;
    Launch(products);
    AddSamples<T>(pass_.launcher, by_sample, sums);
  }

  // When every node that reads it is done.
  void FinishState(int state) {
    StateGradient<T> kernel{};
    FoldGradients<T> folds = NoFolds();
    for (int kind = 0; kind < 2; ++kind) {
      // Of the last edge; in training, as of any other.
      const Fold<T>& fold = pass_.pool_folds[EdgeIndex(kCellNodes - 1, state)][kind];
      const GradientFold<T> gradient = NewFold(processed());
      folds.norms[folds.count++] = {.channels = processed(),
                                    .size = pass_.out_size(),
                                    .scale = fold.scale,
                                    .shift = fold.shift,
                                    .weight = nullptr,
                                    .sum = PoolSums(state, kind),
                                    .product = PoolSums(state, kind) + processed(),
                                    .gap = 1,
                                    .normalized = true,
                                    .direct = gradient.direct,
                                    .slope = gradient.slope,
                                    .constant = gradient.constant,
                                    .pool_sums = nullptr,
                                    // The edges' scales are in their weights.
                                    .direct_is_one = true};
      kernel.pools[kind] = pass_.pools[state][kind];
      kernel.slope[kind] = gradient.slope;
      kernel.constant[kind] = gradient.constant;
    }
    Launch(folds);
    for (int node = std::max(0, state - kCellInputs + 1); node < kCellNodes; ++node) {
      const int edge = EdgeIndex(node, state);
      auto& of_edge = kernel.edges[kernel.num_edges++];
      for (int kind = 0; kind < 2; ++kind) {
        of_edge.pool_weights[kind] = pass_.PrimitiveWeight(edge, fused::kPoolColumns[kind]);
        of_edge.pool_scales[kind] = pass_.pool_folds[edge][kind].scale;
      }
      of_edge.identity = pass_.PrimitiveWeight(edge, fused::kSkipColumn);
      of_edge.bypass = pass_.edge_weights + edge;
      const StatePlanes<const T> g = GradientOf(node + kCellInputs);
      of_edge.g = g.planes;
      of_edge.g_sample = g.sample;
    }
    for (const T* unit : unit_gradients_[state]) kernel.units[kernel.num_units++] = unit;
    kernel.layout = pass_.layout();
    kernel.windows = pass_.WindowsOf(state);
    kernel.x = pass_.State(state).planes;
    kernel.x_sample = pass_.State(state).sample;
    if (state >= kCellInputs) {
      kernel.added = OutGradientOf(state).planes;
      kernel.added_sample = OutGradientOf(state).sample;
    }
    kernel.gradient = state_gradients_[state].planes;
    kernel.gradient_sample = state_gradients_[state].sample;
    kernel.samples = pass_.samples;
    Launch(kernel);
  }

  void BackwardOfPreprocessing() {
    const int channels = pass_.channels();
    const int64_t width = 2 * channels;
    const at::Tensor sums = at::empty({kCellInputs, width}, pass_.double_options());
    for (int input = 0; input < kCellInputs; ++input) {
      Products<T> products{};
      products.num_terms = 1;
      products.g = state_gradients_[input].planes;
      products.g_sample = state_gradients_[input].sample;
      products.layout = {channels, channels};
      products.size = pass_.state_size(input);
      const StatePlanes<T> state = pass_.State(input);
      products.terms[0] = {state.planes, state.sample, nullptr, nullptr, nullptr};
      Sum(products, sums[input]);
    }
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);

    FoldGradients<T> folds = NoFolds();
    std::vector<UnitTask> tasks;
    for (int input = 0; input < kCellInputs; ++input) {
      const GradientFold<T> fold = NewFold(channels);
      const double* const own = sums.const_data_ptr<double>() + input * width;
      folds.norms[folds.count++] = {.channels = channels,
                                    .size = pass_.state_size(input),
                                    .scale = pass_.folds[input].scale,
                                    .shift = nullptr,  // The states are kept normalized.
                                    .weight = nullptr,
                                    .sum = own,
                                    .product = own + channels,
                                    .gap = 1,
                                    .normalized = true,
                                    .direct = fold.direct,
                                    .slope = fold.slope,
                                    .constant = fold.constant,
                                    .pool_sums = nullptr,
                                    .direct_is_one = false};
      const at::Tensor& wanted = gradients_.inputs[input];
      tasks.push_back({input,
                       {state_gradients_[input].planes, state_gradients_[input].sample,
                        pass_.state_size(input), fold.direct, fold.slope, fold.constant},
                       wanted.defined() ? wanted.template mutable_data_ptr<T>() : nullptr});
    }
    Launch(folds);
    BackwardOfUnits(tasks, {}, {});
  }

  void StoreSums() {
    if (weight_sums_.defined()) gradients_.weights = AddedSamples(weight_sums_);
    if (!probability_sums_.defined()) return;
    const at::Tensor sums = AddedSamples(probability_sums_).view({CellPlan::kRows, choices_});
    std::vector<at::Tensor> by_bits;
    int64_t candidate = 0;
    for (const int64_t bits : pass_.cell.bits) {
      by_bits.push_back(sums.select(1, bits == quant::kFloatBits ? choices_ - 1 : candidate++));
    }
    gradients_.probabilities = at::stack(by_bits, /*dim=*/1);
  }

  const CellPass<T>& pass_;
  const CellPlan& plan_;
  CellGradients<T>& gradients_;
  const int64_t choices_;  // Of a mixture, the float one last.

  std::vector<at::Tensor> memory_;
  std::array<StatePlanes<T>, kSourceStates> state_gradients_;
  std::array<std::vector<const T*>, kSourceStates> unit_gradients_;  // That FinishState adds up.
  at::Tensor weight_sums_;                                           // [N, weights]
  at::Tensor probability_sums_;                                      // [N, rows * choices]
  // By state and kind: the normalized pool's gradient, then its products with the pool.
  at::Tensor pool_sums_;
};

}  // namespace

template <typename T>
void RunBackward(const CellPass<T>& pass, CellGradients<T>& gradients) {
  Backward<T>(pass, gradients).Run();
}

template void RunBackward(const CellPass<float>&, CellGradients<float>&);
template void RunBackward(const CellPass<double>&, CellGradients<double>&);

}  // namespace nas::device
