#include <algorithm>
#include <cstdint>
#include <vector>

#include "ATen/ops/_foreach_add.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/full.h"
#include "ATen/ops/zeros.h"
#include "distributed/data_parallel/global_range.h"
#include "nas/device/cell_pass.h"
#include "nas/fused/layout.h"
#include "nas/fused/quantizer_set.h"
#include "quant/quantizers.h"

namespace nas::device {
namespace {

template <typename T>
class Forward {
 public:
  explicit Forward(CellPass<T>& pass)
      : pass_(pass), plan_(pass.plan), needs_range_(quant::NeedsRange(pass.cell.bits)) {}

  void Run(const at::Tensor& like) {
    TakeMemory(like);
    pass_.samples_over_ranks = at::full({1}, pass_.samples, like.options().dtype(at::kDouble));
    if (pass_.training) SumOverRanks(pass_.cell.communicator, pass_.samples_over_ranks);
    RunUnits({0, 1});
    for (int state = 0; state < kCellInputs; ++state) {
      Launch(Normalize<T>{pass_.preprocessed[state], pass_.channels(), pass_.state_size(state),
                          pass_.folds[state].scale, pass_.folds[state].shift, pass_.samples});
      PoolsOf(state);
    }
    for (int node = 0; node < kCellNodes; ++node) {
      RunUnits(plan_.first_units[node]);
      RunUnits(plan_.second_units[node]);
      MixNode(node);
      if (node + 1 < kCellNodes) PoolsOf(node + kCellInputs);
    }
  }

 private:
  void Launch(const Kernel<T>& kernel) { pass_.launcher.Launch(kernel); }

  void TakeMemory(const at::Tensor& like) {
    fused::Layout<T> layout;
    const auto take = [&] {
      const int64_t n = pass_.samples, size = pass_.out_size();
      const auto fold = [&](int64_t channels) -> Fold<T> {
        return {layout.Take(channels), layout.Take(channels)};
      };
      const int64_t mixed = fused::NumCandidates(pass_.cell.bits);
      pass_.pointwise.clear();
      pass_.folds.clear();
      pass_.candidates.clear();
      for (int input = 0; input < kCellInputs; ++input) {
        pass_.preprocessed[input] = layout.Take(n * pass_.channels() * pass_.height * pass_.width);
        pass_.bypass[input] =
            plan_.stride(input) == 1 ? nullptr : layout.Take(n * pass_.bypassed() * size);
      }
      for (const Unit& unit : plan_.units) {
        // A preprocessing's is the state.
        pass_.pointwise.push_back(unit.edge < 0 ? pass_.preprocessed[unit.input]
                                                : layout.Take(n * unit.shape.out * size));
        pass_.folds.push_back(fold(unit.shape.out));
        auto& of_unit = pass_.candidates.emplace_back();
        for (Candidate<T>*& candidates : of_unit) {
          constexpr int64_t kFields = sizeof(Candidate<T>) / sizeof(T);
          const int64_t channels = needs_range_ ? unit.shape.in : 1;
          candidates = reinterpret_cast<Candidate<T>*>(layout.Take(channels * mixed * kFields));
        }
      }
      for (auto& pools : pass_.pools) {
        for (T*& pool : pools) pool = layout.Take(n * pass_.processed() * size);
      }
      for (auto& folds : pass_.pool_folds) {
        for (Fold<T>& of_kind : folds) of_kind = fold(pass_.processed());
      }
    };
    take();
    pass_.memory = at::empty({static_cast<int64_t>(layout.bytes() / sizeof(T))}, like.options());
    layout.Begin(pass_.memory.mutable_data_ptr());
    take();
  }

  // The range of each channel of each source, over samples and ranks: [2, width].
  at::Tensor RangesOf(const Ranges<T>& sources, int64_t width) {
    const at::Tensor by_sample = at::empty({pass_.samples, width, 2}, pass_.options());
    const at::Tensor joined = at::empty({2, width}, pass_.options());
    Ranges<T> kernel = sources;
    kernel.samples = pass_.samples;
    kernel.ranges = by_sample.mutable_data_ptr<T>();
    kernel.width = width;
    Launch(kernel);
    Launch(JoinRanges<T>{by_sample.const_data_ptr<T>(), pass_.samples, width,
                         joined.mutable_data_ptr<T>()});
    if (pass_.cell.communicator == nullptr) return joined;
    return distributed::JoinRanges(*pass_.cell.communicator, joined).contiguous();
  }

  MakeMixtures<T> NoMixtures() const {
    MakeMixtures<T> kernel{};
    kernel.num_bits = static_cast<int>(pass_.cell.bits.size());
    kernel.eight_bit = pass_.cell.eight_bit;
    std::copy(pass_.cell.bits.begin(), pass_.cell.bits.end(), kernel.bits);
    return kernel;
  }
  void AddMixture(int index, int conv, const T* ranges, const Activation<T>& activation,
                  MakeMixtures<T>& kernel) const {
    const Unit& unit = plan_.units[index];
    kernel.targets[kernel.count++] = {ranges, activation, static_cast<int>(unit.shape.in),
                                      pass_.ProbabilitiesOf(unit), pass_.candidates[index][conv]};
  }

  // Of what the units read.
  void MixInputs(const std::vector<int>& units) {
    MakeMixtures<T> mixtures = NoMixtures();
    if (!needs_range_) {
      for (const int index : units) {
        for (int conv = 0; conv < plan_.units[index].shape.num_convs(); ++conv) {
          AddMixture(index, conv, nullptr, {}, mixtures);
        }
      }
      return Launch(mixtures);
    }
    Ranges<T> sources{};
    std::vector<int> source_of;
    int width = 0;
    for (const int index : units) {
      const UnitArgs<T> unit = pass_.UnitOf(index);
      const bool halves = unit.shape.kind == UnitKind::kReduce;
      int source = 0;
      while (source < sources.count &&
             (sources.sources[source].x != unit.x || sources.sources[source].halves != halves)) {
        ++source;
      }
      if (source == sources.count) {
        sources.sources[sources.count++] = {unit.x,     unit.x_sample, unit.in(), unit.height,
                                            unit.width, halves,        width};
        width += unit.in() * (halves ? 2 : 1);
      }
      source_of.push_back(source);
    }
    const at::Tensor ranges = RangesOf(sources, width);
    mixtures.greatest_at = width;
    for (size_t i = 0; i < units.size(); ++i) {
      const UnitArgs<T> unit = pass_.UnitOf(units[i]);
      const T* const own = ranges.const_data_ptr<T>() + sources.sources[source_of[i]].at;
      AddMixture(units[i], 0, own, unit.activation, mixtures);
      if (unit.shape.kind == UnitKind::kReduce) {
        AddMixture(units[i], 1, own + unit.in(), unit.activation, mixtures);
      }
    }
    Launch(mixtures);
  }

  // From the ranges of what the depthwise convolutions gave.
  void MixDepthwise(const UnitForward<T>& units, const std::vector<int>& indices) {
    Ranges<T> sources{};
    std::vector<int> separable;
    int width = 0;
    for (int i = 0; i < units.count; ++i) {
      const UnitArgs<T>& unit = units.units[i];
      if (unit.shape.kind != UnitKind::kSeparable) continue;
      separable.push_back(indices[i]);
      sources.sources[sources.count++] = {unit.y,           int64_t{unit.out()} * unit.size(),
                                          unit.in(),        unit.out_height(),
                                          unit.out_width(),
                                          /*halves=*/false, width};
      width += unit.in();
    }
    if (separable.empty()) return;
    const at::Tensor ranges = RangesOf(sources, width);
    MakeMixtures<T> mixtures = NoMixtures();
    mixtures.greatest_at = width;
    for (size_t i = 0; i < separable.size(); ++i) {
      AddMixture(separable[i], 1, ranges.const_data_ptr<T>() + sources.sources[i].at,
                 {nullptr, nullptr, /*relu=*/false}, mixtures);
    }
    Launch(mixtures);
  }

  // Convolutions of the units and the statistics of their outputs, with those of the pools of the
  // states that came since.
  void RunUnits(const std::vector<int>& units) {
    MixInputs(units);
    UnitForward<T> kernel{};
    kernel.samples = pass_.samples;
    for (const int index : units) {
      const UnitArgs<T> unit = pass_.UnitOf(index);
      kernel.sums_at[kernel.count] = static_cast<int>(kernel.width);
      kernel.units[kernel.count++] = unit;
      kernel.width += fused::kChannelSums * unit.out();
    }
    const at::Tensor by_sample = at::zeros({pass_.samples, kernel.width}, pass_.double_options());
    kernel.sums = by_sample.mutable_data_ptr<double>();
    kernel.depthwise = true;
    kernel.pointwise = !needs_range_;
    if (needs_range_) {
      UnitForward<T> separable = kernel;
      separable.count = 0;
      for (int i = 0; i < kernel.count; ++i) {
        if (kernel.units[i].shape.kind == UnitKind::kSeparable) {
          separable.units[separable.count++] = kernel.units[i];
        }
      }
      if (separable.count > 0) Launch(separable);
      MixDepthwise(kernel, units);
      kernel.depthwise = false;
      kernel.pointwise = true;
    }
    Launch(kernel);

    const int64_t pool_width = 2 * fused::kChannelSums * pass_.processed();
    const int64_t pools = static_cast<int64_t>(pool_sums_.size()) * pool_width;
    const at::Tensor sums = at::empty({kernel.width + pools}, pass_.double_options());
    AddSamples<T>(pass_.launcher, by_sample, sums.narrow(0, 0, kernel.width));
    for (size_t i = 0; i < pool_sums_.size(); ++i) {
      AddSamples<T>(
          pass_.launcher, pool_sums_[i],
          sums.narrow(0, kernel.width + static_cast<int64_t>(i) * pool_width, pool_width));
    }
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);

    FoldStatistics<T> fold{};
    fold.training = pass_.training;
    fold.samples = pass_.samples_over_ranks.template const_data_ptr<double>();
    std::vector<at::Tensor> batches;
    const auto add = [&](const fused::Normalization& norm, const double* own, int channels,
                         int size, const Fold<T>& into) {
      fold.norms[fold.count++] = {own,
                                  channels,
                                  size,
                                  norm.running_mean.template mutable_data_ptr<T>(),
                                  norm.running_var.template mutable_data_ptr<T>(),
                                  norm.momentum,
                                  norm.epsilon,
                                  into.scale,
                                  into.shift};
      batches.push_back(norm.batches);
    };
    const double* const first = sums.const_data_ptr<double>();
    for (size_t i = 0; i < units.size(); ++i) {
      const UnitArgs<T>& unit = kernel.units[i];
      add(pass_.cell.units[units[i]], first + kernel.sums_at[i], unit.out(), unit.size(),
          pass_.folds[units[i]]);
    }
    const double* next = first + kernel.width;
    for (const int state : unnormalized_states_) {
      for (int kind = 0; kind < 2; ++kind) {
        for (int node = std::max(0, state - kCellInputs + 1); node < kCellNodes; ++node) {
          const int edge = EdgeIndex(node, state);
          add(pass_.cell.pools[2 * edge + kind], next, pass_.processed(), pass_.out_size(),
              pass_.pool_folds[edge][kind]);
        }
        next += fused::kChannelSums * pass_.processed();
      }
    }
    Launch(fold);
    if (pass_.training) at::_foreach_add_(batches, 1);
    unnormalized_states_.clear();
    pool_sums_.clear();
  }

  void PoolsOf(int state) {
    const at::Tensor sums = at::zeros({pass_.samples, 2 * fused::kChannelSums * pass_.processed()},
                                      pass_.double_options());
    const StatePlanes<T> planes = pass_.State(state);
    Launch(PrepareState<T>{.x = planes.planes,
                           .x_sample = planes.sample,
                           .channels = pass_.channels(),
                           .processed = pass_.processed(),
                           .windows = pass_.WindowsOf(state),
                           .pools = {pass_.pools[state][0], pass_.pools[state][1]},
                           .bypass = plan_.stride(state) == 2 ? pass_.bypass[state] : nullptr,
                           .sums = sums.mutable_data_ptr<double>(),
                           .samples = pass_.samples});
    unnormalized_states_.push_back(state);
    pool_sums_.push_back(sums);
  }

  void MixNode(int node) {
    Mix<T> kernel{};
    for (const fused::PlanTerm& term : plan_.terms[node]) {
      kernel.terms[kernel.num_terms++] = pass_.TermOf(term);
    }
    for (int state = 0; state < NumEdges(node); ++state) {
      kernel.edges[kernel.num_edges++] = pass_.BypassOf(EdgeIndex(node, state), state);
    }
    const StatePlanes<T> planes = pass_.State(node + kCellInputs);
    kernel.layout = pass_.layout();
    kernel.size = pass_.out_size();
    kernel.out = planes.planes;
    kernel.out_sample = planes.sample;
    kernel.samples = pass_.samples;
    Launch(kernel);
  }

  CellPass<T>& pass_;
  const CellPlan& plan_;
  const bool needs_range_;
  // Of states whose pools are computed and not normalized: [N, 2, processed, 2].
  std::vector<int> unnormalized_states_;
  std::vector<at::Tensor> pool_sums_;
};

}  // namespace

template <typename T>
void RunForward(CellPass<T>& pass, const at::Tensor& like) {
  Forward<T>(pass).Run(like);
}

template void RunForward(CellPass<float>&, const at::Tensor&);
template void RunForward(CellPass<double>&, const at::Tensor&);

}  // namespace nas::device
