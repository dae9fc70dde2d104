#include <algorithm>
#include <cmath>
#include <limits>

#include "nas/fused/cell_pass.h"
#include "nas/fused/phases.h"

namespace nas::fused {
namespace {

constexpr int64_t kChannelSums = 2;  // Of values, of squares.

// The memory of a pass, handed out piece by piece.
template <typename T>
class Layout {
 public:
  // Two rounds: the first adds up sizes, the second hands out memory.
  T* Take(int64_t size) {
    T* piece = begin_ == nullptr ? nullptr : begin_ + used_;
    constexpr int64_t kAlignment = 64 / sizeof(T);
    used_ += (size + kAlignment - 1) / kAlignment * kAlignment;
    return piece;
  }
  void Begin(void* memory) {
    begin_ = static_cast<T*>(memory);
    used_ = 0;
  }
  size_t bytes() const { return used_ * sizeof(T); }

 private:
  T* begin_ = nullptr;
  int64_t used_ = 0;
};

template <typename T>
class Forward {
 public:
  Forward(CellPass<T>& pass, const std::vector<T>& probabilities)
      : pass_(pass), plan_(pass.plan), probabilities_(probabilities) {
    const std::vector<int64_t>& bits = pass.cell.bits;
    pass_.num_candidates = bits.size() - std::count(bits.begin(), bits.end(), 32);
    needs_range_ = std::count(bits.begin(), bits.end(), 8) > 0;
    pass_.folds.resize(plan_.units.size());
    pass_.candidates.resize(plan_.units.size());
    pass_.float_probabilities.resize(plan_.units.size());
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
        pass_.pointwise.push_back(unit.edge < 0 ? pass_.preprocessed[unit.input]
                                                : layout.Take(n * unit.out * pass_.out_size()));
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

  // Probability of candidate `i` of the bits in the row of `unit`.
  T Probability(const Unit& unit, size_t i) const {
    const size_t count = pass_.cell.bits.size();
    return count == 1 ? T(1) : probabilities_[unit.row * count + i];
  }

  // The candidates of one mixture of a unit; ranges: by channel, of what it quantizes.
  void MakeCandidates(int index, int which, int64_t channels, const std::vector<T>& ranges) {
    const Unit& unit = plan_.units[index];
    std::vector<Candidate<T>>& candidates = pass_.candidates[index][which];
    candidates.clear();
    pass_.float_probabilities[index] = 0;
    const std::vector<int64_t>& bits = pass_.cell.bits;
    quant::Statistics<T> whole;
    whole.min = std::numeric_limits<T>::infinity();
    whole.max = -whole.min;
    if (needs_range_) {
      for (int64_t c = 0; c < channels; ++c) {
        whole.min = std::min(whole.min, ranges[2 * c]);
        whole.max = std::max(whole.max, ranges[2 * c + 1]);
      }
    }
    whole.tensor_min = whole.min;
    const bool by_channel = needs_range_ && pass_.cell.eight_bit != quant::EightBit::kSymmetric;
    for (int64_t c = 0; c < (by_channel ? channels : 1); ++c) {
      quant::Statistics<T> statistics = whole;
      if (by_channel) {
        statistics.min = ranges[2 * c];
        statistics.max = ranges[2 * c + 1];
      }
      for (size_t i = 0; i < bits.size(); ++i) {
        const T probability = Probability(unit, i);
        if (bits[i] == 32) {
          pass_.float_probabilities[index] = probability;
          continue;
        }
        const quant::Lattice<T> lattice = quant::MakeLattice(
            bits[i], quant::Role::kActivation, pass_.cell.eight_bit, statistics);
        candidates.push_back({.reciprocal = 1 / lattice.step,
                              .offset = lattice.offset,
                              .low = std::nearbyint(lattice.low / lattice.step),
                              .high = std::nearbyint(lattice.high / lattice.step),
                              .step = lattice.step,
                              .probability = probability,
                              .pass_low = lattice.pass_low,
                              .pass_high = lattice.pass_high});
      }
    }
  }

  std::vector<T> EmptyRanges(int64_t channels) const {
    std::vector<T> ranges(2 * channels);
    for (int64_t c = 0; c < channels; ++c) {
      ranges[2 * c] = std::numeric_limits<T>::infinity();
      ranges[2 * c + 1] = -std::numeric_limits<T>::infinity();
    }
    return ranges;
  }

  // join(sample, ranges) of all samples and ranks, `channels` pairs.
  template <typename Join>
  std::vector<T> RangesOf(int64_t channels, const Join& join) {
    std::vector<std::vector<T>> by_task(NumTasks(pass_.samples), EmptyRanges(channels));
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) join(n, by_task[task].data());
    });
    std::vector<T> ranges = EmptyRanges(channels);
    for (const std::vector<T>& part : by_task) {
      for (int64_t c = 0; c < channels; ++c) {
        ranges[2 * c] = std::min(ranges[2 * c], part[2 * c]);
        ranges[2 * c + 1] = std::max(ranges[2 * c + 1], part[2 * c + 1]);
      }
    }
    JoinOverRanks(pass_.cell.communicator, ranges);
    return ranges;
  }

  // Whether two units read the same values through their first mixtures.
  static bool ReadAlike(const Unit& a, const Unit& b) {
    const bool a_reduces = a.kind == Unit::Kind::kReduce, b_reduces = b.kind == Unit::Kind::kReduce;
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
      return unit.kind == Unit::Kind::kReduce ? 2 * unit.in : unit.in;
    };
    int64_t all_channels = 0;
    for (const Unit* source : sources) all_channels += channels(*source);
    const std::vector<T> joined = RangesOf(all_channels, [&](int64_t n, T* r) {
      for (const Unit* source : sources) {
        JoinInputRanges(*source, n, r);
        r += 2 * channels(*source);
      }
    });
    std::vector<std::vector<T>> by_source;
    auto next = joined.begin();
    for (const Unit* source : sources) {
      by_source.emplace_back(next, next + 2 * channels(*source));
      next += 2 * channels(*source);
      Activate(*source, by_source.back());
    }
    std::vector<std::vector<T>> ranges;
    for (const size_t source : source_of) ranges.push_back(by_source[source]);
    return ranges;
  }

  void JoinInputRanges(const Unit& unit, int64_t n, T* ranges) const {
    const auto input = pass_.InputOf(unit, n);
    JoinRanges(unit.in, input.height * input.width, input.x, input.stride, ranges);
    if (unit.kind != Unit::Kind::kReduce) return;
    // The second half reads the input without its first row and column.
    for (int64_t c = 0; c < unit.in; ++c) {
      for (int64_t row = 1; row < input.height; ++row) {
        JoinRanges(1, input.width - 1, input.x + c * input.stride + row * input.width + 1,
                   input.stride, ranges + 2 * (unit.in + c));
      }
    }
  }

  // From ranges of what `unit` reads to those of what its activation makes of it.
  void Activate(const Unit& unit, std::vector<T>& ranges) const {
    for (size_t i = 0; i < ranges.size(); ++i) {
      T& value = ranges[i];
      if (unit.previous >= 0) {
        const Fold<T>& fold = pass_.folds[unit.previous];
        value = value * fold.scale[i / 2] + fold.shift[i / 2];
      }
      value = std::max(value, T(0));
    }
  }

  void MakeInputCandidates(const std::vector<int>& units) {
    std::vector<std::vector<T>> ranges(units.size());
    if (needs_range_) ranges = InputRanges(units);
    for (size_t i = 0; i < units.size(); ++i) {
      const Unit& unit = plan_.units[units[i]];
      MakeCandidates(units[i], 0, unit.in, ranges[i]);
      if (unit.kind == Unit::Kind::kReduce) {
        if (needs_range_) ranges[i].erase(ranges[i].begin(), ranges[i].begin() + 2 * unit.in);
        MakeCandidates(units[i], 1, unit.in, ranges[i]);
      } else if (unit.kind == Unit::Kind::kSeparable && !needs_range_) {
        MakeCandidates(units[i], 1, unit.in, {});
      }
    }
  }

  // Planes back to back, valid until the thread's next call.
  const T* DepthwiseOf(int index, int64_t n) {
    const Unit& unit = plan_.units[index];
    const auto input = pass_.InputOf(unit, n);
    const DepthwiseShape shape{input.height, input.width, unit.kernel, unit.dilation, unit.stride};
    T* d = PassScratch<T>(kDepthwiseOutput, unit.in * pass_.out_size());
    DepthwiseForward(shape, unit.in, input.x, input.stride, input.activation,
                     pass_.MixtureOf(index, 0), pass_.weights + unit.depthwise_at, d,
                     ThreadScratch<T>());
    return d;
  }

  void RunUnit(int index, int64_t n, double* sums) {
    Scratch<T>& scratch = ThreadScratch<T>();
    const Unit& unit = plan_.units[index];
    const int64_t size = pass_.unit_out_size(unit);
    T* y = pass_.pointwise[index] + n * unit.out * size;
    const T* weights = pass_.weights + unit.pointwise_at;
    if (unit.kind == Unit::Kind::kSeparable) {
      PointwiseForward(unit.in, unit.out, size, DepthwiseOf(index, n), size,
                       Activation<T>{.relu = false}, pass_.MixtureOf(index, 1), weights, y, sums,
                       scratch);
      return;
    }
    const auto input = pass_.InputOf(unit, n);
    if (unit.kind == Unit::Kind::kPointwise) {
      PointwiseForward(unit.in, unit.out, size, input.x, input.stride, input.activation,
                       pass_.MixtureOf(index, 0), weights, y, sums, scratch);
      return;
    }
    const int64_t half = unit.out / 2;
    T* phase = PassScratch<T>(kPhase, unit.in * size);
    for (int odd = 0; odd < 2; ++odd) {
      GatherPhase(unit.in, input.height, input.width, odd, input.x, input.stride, phase);
      PointwiseForward(unit.in, half, size, phase, size, input.activation,
                       pass_.MixtureOf(index, odd), weights + odd * half * unit.in,
                       y + odd * half * size, sums + kChannelSums * odd * half, scratch);
    }
  }

  // Convolutions of the units and the statistics of their outputs; with pools_too also those of the
  // pools of the states that came since.
  void RunUnits(const std::vector<int>& units, bool pools_too) {
    std::vector<int64_t> sums_at;
    int64_t width = 0;
    MakeInputCandidates(units);
    for (const int index : units) {
      sums_at.push_back(width);
      width += kChannelSums * plan_.units[index].out;
    }
    if (needs_range_) MakeDepthwiseCandidates(units);

    const int64_t tasks = NumTasks(pass_.samples);
    std::vector<double> partial(tasks * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (size_t i = 0; i < units.size(); ++i) {
        double* sums = &partial[task * width + sums_at[i]];
        for (int64_t n = begin; n < end; ++n) RunUnit(units[i], n, sums);
      }
    });
    std::vector<double> sums = AddTasks(partial, tasks, width);
    if (pools_too) sums.insert(sums.end(), pool_sums_.begin(), pool_sums_.end());
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);

    for (size_t i = 0; i < units.size(); ++i) {
      const Unit& unit = plan_.units[units[i]];
      const double count = pass_.global_samples * pass_.unit_out_size(unit);
      pass_.folds[units[i]] =
          Normalize(unit.out, &sums[sums_at[i]], count, pass_.cell.units[units[i]]);
    }
    if (!pools_too) return;
    const double* pool_sums = sums.data() + width;
    for (const int state : unnormalized_states_) {
      for (int kind = 0; kind < 2; ++kind) {
        for (int node = std::max(0, state - kCellInputs + 1); node < kCellNodes; ++node) {
          const int edge = EdgeIndex(node, state);
          pass_.pool_folds[edge][kind] =
              Normalize(processed(), pool_sums, pass_.global_samples * pass_.out_size(),
                        pass_.cell.pools[2 * edge + kind]);
        }
        pool_sums += kChannelSums * processed();
      }
    }
    unnormalized_states_.clear();
    pool_sums_.clear();
  }

  // From the range of what the depthwise convolutions give.
  void MakeDepthwiseCandidates(const std::vector<int>& units) {
    std::vector<int> separable;
    for (const int index : units) {
      if (plan_.units[index].kind == Unit::Kind::kSeparable) separable.push_back(index);
    }
    const int64_t channels = processed(), size = pass_.out_size();
    const std::vector<T> ranges =
        RangesOf(separable.size() * channels, [&](int64_t n, T* r) {
          for (const int index : separable) {
            JoinRanges(channels, size, DepthwiseOf(index, n), size, r);
            r += 2 * channels;
          }
        });
    for (size_t i = 0; i < separable.size(); ++i) {
      MakeCandidates(separable[i], 1, channels,
                     {ranges.begin() + i * 2 * channels, ranges.begin() + (i + 1) * 2 * channels});
    }
  }

  // The fold of statistics, which also move the running ones; in evaluation, that of the latter.
  Fold<T> Normalize(int64_t channels, const double* sums, double count,
                    const Normalization& norm) {
    Fold<T> fold;
    T* running_mean = norm.running_mean.mutable_data_ptr<T>();
    T* running_var = norm.running_var.mutable_data_ptr<T>();
    for (int64_t c = 0; c < channels; ++c) {
      double mean = running_mean[c], variance = running_var[c];
      if (pass_.training) {
        mean = sums[kChannelSums * c] / count;
        const double square = sums[kChannelSums * c + 1] / count;
        variance = square > mean * mean ? square - mean * mean : 0 * square;  // NaN stays NaN.
        Move(running_mean[c], mean, norm.momentum);
        Move(running_var[c], variance * count / (count - 1), norm.momentum);
      }
      const double scale = 1 / std::sqrt(variance + norm.epsilon);
      fold.scale.push_back(static_cast<T>(scale));
      fold.shift.push_back(static_cast<T>(-mean * scale));
    }
    if (pass_.training) norm.batches.add_(1);
    return fold;
  }
  static void Move(T& running, double value, double momentum) {
    running = static_cast<T>(momentum * value + (1 - momentum) * running);
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
            terms.push_back(term.y + (n * channels + c) * term.size + n * term.sample_gap);
            const T weight = pass_.PrimitiveWeight(term.edge, term.primitive);
            if (term.fold == nullptr) {
              coefficients.push_back(weight);
            } else {
              coefficients.push_back(weight * term.fold->scale[c]);
              constant += weight * term.fold->shift[c];
            }
          });
          Combine(size, static_cast<int>(terms.size()), terms.data(), coefficients.data(),
                  constant, out + c * k * size);
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
