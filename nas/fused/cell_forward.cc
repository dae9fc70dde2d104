#include <algorithm>

#include "nas/fused/buffer_pool.h"
#include "nas/fused/cell_pass.h"
#include "nas/fused/layout.h"
#include "nas/fused/phases.h"
#include "nas/fused/tasks.h"
#include "quant/quantizers.h"

namespace nas::fused {
namespace {

template <typename T>
class Forward {
 public:
  Forward(CellPass<T>& pass, const std::vector<T>& probabilities)
      : pass_(pass), plan_(pass.plan), probabilities_(probabilities) {
    needs_range_ = quant::NeedsRange(pass.cell.bits);
    pass_.folds.resize(plan_.units.size());
    pass_.quantizers.resize(plan_.units.size());
  }

  void Run() {
    TakeMemory();
    CountSamples();
    Preprocess();
    for (int state = 0; state < kCellInputs; ++state) PrepareState(state);
    for (int node = 0; node < kCellNodes; ++node) {
      RunUnits(plan_.first_units[node], /*pools_too=*/true);
      RunUnits(plan_.second_units[node], /*pools_too=*/false);
      Mix(node);
      if (node + 1 < kCellNodes) PrepareState(node + kCellInputs);
    }
  }

 private:
  int64_t processed() const { return plan_.processed(); }
  int64_t bypassed() const { return plan_.options.channels - processed(); }

  void TakeMemory() {
    Layout<T> layout;
    const auto take = [&] {
      const int64_t n = pass_.samples;
      pass_.pointwise.clear();
      for (int input = 0; input < kCellInputs; ++input) {
        pass_.preprocessed[input] =
            layout.Take(n * plan_.options.channels * pass_.height * pass_.width);
        pass_.bypass[input] =
            plan_.stride(input) == 1 ? nullptr : layout.Take(n * bypassed() * pass_.out_size());
      }
      for (const Unit& unit : plan_.units) {
        // A preprocessing's is the state.
        pass_.pointwise.push_back(unit.edge < 0
                                      ? pass_.preprocessed[unit.input]
                                      : layout.Take(n * unit.shape.out * pass_.out_size()));
      }
      for (auto& pools : pass_.pools) {
        for (T*& pool : pools) pool = layout.Take(n * processed() * pass_.out_size());
      }
    };
    take();
    pass_.memory = BufferPool::Global().Get(layout.bytes());
    layout.Begin(pass_.memory.get());
    take();
  }

  void CountSamples() {
    std::vector<double> count = {static_cast<double>(pass_.samples)};
    if (pass_.training) SumOverRanks(pass_.cell.communicator, count);
    pass_.global_samples = count[0];
  }

  // The quantizers before one convolution of a unit; ranges: by channel, of what they quantize.
  void Quantize(int index, int which, const std::vector<T>& ranges) {
    const std::vector<int64_t>& bits = pass_.cell.bits;
    const T* probabilities =
        bits.size() == 1 ? nullptr : &probabilities_[plan_.units[index].row * bits.size()];
    pass_.quantizers[index][which] =
        MakeQuantizers(bits, pass_.cell.eight_bit, probabilities, ranges);
  }

  // Whether two units read the same values through their first mixtures.
  static bool ReadAlike(const Unit& a, const Unit& b) {
    const bool a_reduces = a.shape.kind == UnitKind::kReduce;
    const bool b_reduces = b.shape.kind == UnitKind::kReduce;
    return a.input == b.input && a.previous == b.previous && (a.edge < 0) == (b.edge < 0) &&
           a_reduces == b_reduces;
  }

  // Of what the first mixtures of some units read, behind ReLU, each source once and all over the
  // ranks together; for kReduce twice, as its halves read it.
  std::vector<std::vector<T>> InputRanges(const std::vector<int>& units) {
    std::vector<const Unit*> sources;
    std::vector<size_t> source_of;
    for (const int index : units) {
      const Unit& unit = plan_.units[index];
      const auto found = std::find_if(sources.begin(), sources.end(),
                                      [&](const Unit* s) { return ReadAlike(*s, unit); });
      source_of.push_back(found - sources.begin());
      if (found == sources.end()) sources.push_back(&unit);
    }
    const auto channels = [](const Unit& unit) {
      return unit.shape.kind == UnitKind::kReduce ? 2 * unit.shape.in : unit.shape.in;
    };
    int64_t all_channels = 0;
    for (const Unit* source : sources) all_channels += channels(*source);
    const std::vector<T> joined =
        RangesOf<T>(pass_.samples, all_channels, pass_.cell.communicator, [&](int64_t n, T* r) {
          for (const Unit* source : sources) {
            JoinInputRanges(source->shape, pass_.InputOf(*source, n), r);
            r += 2 * channels(*source);
          }
        });
    std::vector<std::vector<T>> by_source;
    auto next = joined.begin();
    for (const Unit* source : sources) {
      by_source.emplace_back(next, next + 2 * channels(*source));
      next += 2 * channels(*source);
      const Activation<T> activation = pass_.InputOf(*source, 0).activation;
      ActivateRanges(activation, source->shape.in, by_source.back());
    }
    std::vector<std::vector<T>> ranges;
    for (const size_t source : source_of) ranges.push_back(by_source[source]);
    return ranges;
  }

  void QuantizeInputs(const std::vector<int>& units) {
    std::vector<std::vector<T>> ranges(units.size());
    if (needs_range_) ranges = InputRanges(units);
    for (size_t i = 0; i < units.size(); ++i) {
      const UnitShape& shape = plan_.units[units[i]].shape;
      Quantize(units[i], 0, FirstChannels(ranges[i], shape.in));
      if (shape.kind == UnitKind::kReduce) {
        Quantize(units[i], 1, LastChannels(ranges[i], shape.in));
      } else if (shape.kind == UnitKind::kSeparable && !needs_range_) {
        Quantize(units[i], 1, {});
      }
    }
  }

  // Convolutions of the units and the statistics of their outputs; with pools_too also those of the
  // pools of the states that came since.
  void RunUnits(const std::vector<int>& units, bool pools_too) {
    std::vector<int64_t> sums_at;
    int64_t width = 0;
    QuantizeInputs(units);
    for (const int index : units) {
      sums_at.push_back(width);
      width += kChannelSums * plan_.units[index].shape.out;
    }
    if (needs_range_) QuantizeDepthwise(units);

    const int64_t tasks = NumTasks(pass_.samples);
    std::vector<double> partial(tasks * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (size_t i = 0; i < units.size(); ++i) {
        const Unit& unit = plan_.units[units[i]];
        const UnitConvs<T> convs = pass_.ConvsOf(units[i]);
        const int64_t y_size = unit.shape.out * pass_.unit_out_size(unit);
        for (int64_t n = begin; n < end; ++n) {
          UnitForward(unit.shape, pass_.InputOf(unit, n), convs, /*has_depthwise=*/needs_range_,
                      pass_.pointwise[units[i]] + n * y_size, &partial[task * width + sums_at[i]]);
        }
      }
    });
    std::vector<double> sums = AddTasks(partial, tasks, width);
    if (pools_too) sums.insert(sums.end(), pool_sums_.begin(), pool_sums_.end());
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);

    for (size_t i = 0; i < units.size(); ++i) {
      const Unit& unit = plan_.units[units[i]];
      const double count = pass_.global_samples * pass_.unit_out_size(unit);
      pass_.folds[units[i]] = FoldStatistics<T>(unit.shape.out, &sums[sums_at[i]], count,
                                                pass_.training, pass_.cell.units[units[i]]);
    }
    if (!pools_too) return;
    const double* pool_sums = sums.data() + width;
    for (const int state : unnormalized_states_) {
      for (int kind = 0; kind < 2; ++kind) {
        for (int node = std::max(0, state - kCellInputs + 1); node < kCellNodes; ++node) {
          const int edge = EdgeIndex(node, state);
          pass_.pool_folds[edge][kind] =
              FoldStatistics<T>(processed(), pool_sums, pass_.global_samples * pass_.out_size(),
                                pass_.training, pass_.cell.pools[2 * edge + kind]);
        }
        pool_sums += kChannelSums * processed();
      }
    }
    unnormalized_states_.clear();
    pool_sums_.clear();
  }

  // From the range of what the depthwise convolutions give, which stays for UnitForward.
  void QuantizeDepthwise(const std::vector<int>& units) {
    std::vector<int> separable;
    for (const int index : units) {
      if (plan_.units[index].shape.kind == UnitKind::kSeparable) separable.push_back(index);
    }
    const int64_t channels = processed(), size = pass_.out_size();
    const std::vector<T> ranges = RangesOf<T>(
        pass_.samples, separable.size() * channels, pass_.cell.communicator, [&](int64_t n, T* r) {
          for (const int index : separable) {
            const Unit& unit = plan_.units[index];
            T* const d = pass_.pointwise[index] + n * channels * size;
            UnitDepthwise(unit.shape, pass_.InputOf(unit, n), pass_.ConvsOf(index), d);
            JoinRanges(channels, size, Planes<const T>(d, size), r);
            r += 2 * channels;
          }
        });
    for (size_t i = 0; i < separable.size(); ++i) {
      Quantize(separable[i], 1,
               {ranges.begin() + i * 2 * channels, ranges.begin() + (i + 1) * 2 * channels});
    }
  }

  void Preprocess() {
    RunUnits({0, 1}, /*pools_too=*/false);
    const int64_t channels = plan_.options.channels, size = pass_.height * pass_.width;
    ForEachTask(pass_.samples, [&](int64_t, int64_t begin, int64_t end) {
      for (int input = 0; input < kCellInputs; ++input) {
        const Fold<T>& fold = pass_.folds[input];
        for (int64_t n = begin; n < end; ++n) {
          T* state = pass_.State(input, n);
          for (int64_t c = 0; c < channels; ++c) {
            T* plane = state + c * size;
            const T* const term = plane;
            Combine(size, 1, &term, &fold.scale[c], fold.shift[c], plane);
          }
        }
      }
    });
  }

  // Its pools and, where edges out of it have stride 2, the channels that pass them by.
  void PrepareState(int state) {
    const int64_t channels = processed(), size = pass_.state_size(state),
                  out_size = pass_.out_size();
    const int stride = plan_.stride(state);
    const int64_t width = 2 * kChannelSums * channels, tasks = NumTasks(pass_.samples);
    std::vector<double> partial(tasks * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const T* x = pass_.State(state, n);
        double* sums = &partial[task * width];
        for (int kind = 0; kind < 2; ++kind) {
          T* y = pass_.pools[state][kind] + n * channels * out_size;
          PoolForward(/*max=*/kind == 0, channels, pass_.state_height(state),
                      pass_.state_width(state), stride, x, size, y, ThreadScratch<T>());
          for (int64_t c = 0; c < channels; ++c) {
            const T* plane = y + c * out_size;
            *sums++ += Sum(out_size, plane);
            *sums++ += Dot(out_size, plane, plane);
          }
        }
        if (stride == 2) {
          MaxOfSquares(bypassed(), pass_.height, pass_.width, x + channels * size,
                       pass_.bypass[state] + n * bypassed() * out_size);
        }
      }
    });
    const std::vector<double> sums = AddTasks(partial, tasks, width);
    pool_sums_.insert(pool_sums_.end(), sums.begin(), sums.end());
    unnormalized_states_.push_back(state);
  }

  // The node's weighted sums, its channels shuffled.
  void Mix(int node) {
    const int64_t size = pass_.out_size(), channels = processed(),
                  k = plan_.options.partial_channels;
    ForEachTask(pass_.samples, [&](int64_t, int64_t begin, int64_t end) {
      std::vector<const T*> terms;
      std::vector<T> coefficients;
      for (int64_t n = begin; n < end; ++n) {
        T* out = pass_.State(node + kCellInputs, n);
        for (int64_t c = 0; c < channels; ++c) {
          terms.clear();
          coefficients.clear();
          T constant = 0;
          ForEachTerm(pass_, node, [&](const Term<T>& term) {
            terms.push_back(term.Sample(n, channels) + c * term.size);
            const T weight = pass_.PrimitiveWeight(term.edge, term.primitive);
            if (term.fold == nullptr) {
              coefficients.push_back(weight);
            } else {
              coefficients.push_back(weight * term.fold->scale[c]);
              constant += weight * term.fold->shift[c];
            }
          });
          Combine(size, static_cast<int>(terms.size()), terms.data(), coefficients.data(), constant,
                  out + c * k * size);
        }
        for (int64_t b = 0; b < bypassed(); ++b) {
          terms.clear();
          coefficients.clear();
          for (int state = 0; state < NumEdges(node); ++state) {
            terms.push_back(Bypass(pass_, state, n) + b * size);
            coefficients.push_back(pass_.edge_weights[EdgeIndex(node, state)]);
          }
          Combine(size, static_cast<int>(terms.size()), terms.data(), coefficients.data(), T(0),
                  out + (b % channels * k + b / channels + 1) * size);
        }
      }
    });
  }

  CellPass<T>& pass_;
  const CellPlan& plan_;
  const std::vector<T>& probabilities_;
  bool needs_range_;
  // Of states whose pools are computed and not normalized.
  std::vector<int> unnormalized_states_;
  std::vector<double> pool_sums_;
};

}  // namespace

template <typename T>
void RunForward(CellPass<T>& pass, const std::vector<T>& activation_probabilities) {
  Forward<T>(pass, activation_probabilities).Run();
}

template void RunForward(CellPass<float>&, const std::vector<float>&);
template void RunForward(CellPass<double>&, const std::vector<double>&);

}  // namespace nas::fused
