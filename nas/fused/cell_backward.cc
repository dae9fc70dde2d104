#include <algorithm>

#include "hwy/cache_control.h"
#include "nas/fused/buffer_pool.h"
#include "nas/fused/cell_pass.h"
#include "nas/fused/phases.h"
#include "nas/fused/tasks.h"

namespace nas::fused {
namespace {

template <typename T>
class Backward {
 public:
  Backward(const CellPass<T>& pass, CellGradients<T>& gradients)
      : pass_(pass),
        plan_(pass.plan),
        gradients_(gradients),
        tasks_(NumTasks(pass.samples)),
        num_candidates_(NumCandidates(pass.cell.bits)) {
    if (gradients_.weights != nullptr) weight_sums_.resize(tasks_ * plan_.weights);
    if (!gradients_.activation_probabilities.empty()) {
      probability_sums_.resize(tasks_ * ProbabilityWidth());
    }
    for (auto& by_kind : pool_sums_) by_kind.fill(std::vector<double>(2 * processed()));
  }

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
  int64_t processed() const { return plan_.processed(); }
  int64_t bypassed() const { return plan_.options.channels - processed(); }
  int64_t ProbabilityWidth() const { return CellPlan::kRows * (num_candidates_ + 1); }

  // Nodes that edges leave.
  static constexpr int kSourceNodes = kSourceStates - kCellInputs;

  void TakeMemory() {
    const int64_t n = pass_.samples, channels = plan_.options.channels;
    const int64_t in_size = n * channels * pass_.height * pass_.width;
    const int64_t plane = n * processed() * pass_.out_size();
    const int64_t source_size = n * kSourceNodes * channels * pass_.out_size();
    constexpr int kSecondUnits = 2 * (kCellNodes + kCellInputs - 1);
    const int64_t all = kCellInputs * in_size + source_size + kSecondUnits * plane;
    memory_ = BufferPool::Global().Get(all * sizeof(T));
    T* next = static_cast<T*>(memory_.get());
    for (T*& gradient : input_gradients_) {
      gradient = next;
      next += in_size;
    }
    source_gradients_ = next;
    next += source_size;
    for (int i = 0; i < kSecondUnits; ++i, next += plane) unit_gradients_.push_back(next);
  }

  // What the operator was given of a node's sample.
  const T* Given(int node, int64_t n) const {
    return gradients_.out + (n * kCellNodes + node) * plan_.options.channels * pass_.out_size();
  }

  // The gradient of a sample of a state that edges leave.
  T* GradientOf(int state, int64_t n) {
    const int64_t channels = plan_.options.channels;
    if (state < kCellInputs) {
      return input_gradients_[state] + n * channels * pass_.state_size(state);
    }
    return source_gradients_ +
           (n * kSourceNodes + state - kCellInputs) * channels * pass_.out_size();
  }

  // That of a node's sample, when all that reads the node is done.
  const T* GradientOfNode(int node, int64_t n) {
    return node < kSourceNodes ? GradientOf(node + kCellInputs, n) : Given(node, n);
  }

  // What the gradients of the channels that edges process start from; FinishState sets the others.
  void StartGradients(int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      for (int state = 0; state < kSourceStates; ++state) {
        const int64_t size = processed() * pass_.state_size(state);
        if (state < kCellInputs) {
          std::fill_n(GradientOf(state, n), size, T(0));
        } else {
          std::copy_n(Given(state - kCellInputs, n), size, GradientOf(state, n));
        }
      }
    }
  }

  // Behind the normalization `fold`, for `weight` times it; y kept as `kept` normalizes it.
  GradientFold<T> FoldGradientOf(const Fold<T>& fold, const Fold<T>& kept, T weight, double count,
                                 const double* sum, const double* product) const {
    return FoldGradient(fold.scale, kept, weight, count, pass_.training, sum, product);
  }

  // The sums of one task for one unit.
  class UnitSums {
   public:
    UnitSums(Backward& owner, int index, int64_t task)
        : weights_(owner.plan_.units[index].shape,
                   owner.weight_sums_.empty()
                       ? nullptr
                       : &owner.weight_sums_[task * owner.plan_.weights +
                                             owner.plan_.units[index].weights_at]) {
      if (owner.probability_sums_.empty()) return;
      weights_.sums.probabilities.fill(
          &owner.probability_sums_[task * owner.ProbabilityWidth() +
                                   owner.plan_.units[index].row * (owner.num_candidates_ + 1)]);
    }
    const WeightGradients<T>& gradients() const { return weights_.sums; }

   private:
    UnitWeightSums<T> weights_;
  };

  void BackwardOfUnit(int index, int64_t n, const NormalizationGradient<T>& gradient, T* gx,
                      bool accumulate, double* norm_sums, const UnitSums& sums) {
    const Unit& unit = plan_.units[index];
    const UnitInput<T> input = pass_.InputOf(unit, n);
    UnitBackward(unit.shape, input, pass_.ConvsOf(index), gradient,
                 Planes<T>(gx, input.height * input.width), accumulate, norm_sums,
                 sums.gradients());
  }

  void BackwardOfNode(int node) {
    const std::vector<Term<T>> terms = [&] {
      std::vector<Term<T>> all;
      ForEachTerm(pass_, node, [&](const Term<T>& term) { all.push_back(term); });
      return all;
    }();
    const std::vector<double> sums = NodeSums(node, terms);

    const double count = pass_.global_samples * pass_.out_size();
    const int64_t channels = processed();
    std::vector<GradientFold<T>> folds(terms.size());
    for (size_t t = 0; t < terms.size(); ++t) {
      const Term<T>& term = terms[t];
      if (term.fold == nullptr) continue;
      // With the normalized output, from sums with the output as it was.
      std::vector<double> product(channels);
      for (int64_t c = 0; c < channels; ++c) {
        product[c] =
            term.fold->scale[c] * sums[(t + 1) * channels + c] + term.fold->shift[c] * sums[c];
      }
      const T weight = pass_.PrimitiveWeight(term.edge, term.primitive);
      folds[t] = FoldGradientOf(*term.fold, *term.fold, weight, count, sums.data(), product.data());
      if (term.pool < 0) continue;
      std::vector<double>& pool_sums = pool_sums_[term.state][term.pool];
      for (int64_t c = 0; c < channels; ++c) {
        pool_sums[c] += weight * sums[c];
        pool_sums[channels + c] += weight * product[c];
      }
    }

    const std::vector<int>& second = plan_.second_units[node];
    const std::vector<double> norm_sums = BackwardOfTerms(node, terms, folds);
    std::vector<GradientFold<T>> first_folds;
    for (size_t i = 0; i < second.size(); ++i) {
      const Fold<T>& fold = pass_.folds[plan_.units[second[i]].previous];
      std::vector<double> sum(channels), product(channels);
      for (int64_t c = 0; c < channels; ++c) {
        sum[c] = norm_sums[2 * (i * channels + c)];
        product[c] = fold.scale[c] * norm_sums[2 * (i * channels + c) + 1] + fold.shift[c] * sum[c];
      }
      first_folds.push_back(FoldGradientOf(fold, fold, T(1), count, sum.data(), product.data()));
    }
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (size_t i = 0; i < second.size(); ++i) {
        const int index = plan_.units[second[i]].previous;
        const Unit& unit = plan_.units[index];
        UnitSums unit_sums(*this, index, task);
        const int64_t size = pass_.out_size();
        for (int64_t n = begin; n < end; ++n) {
          BackwardOfUnit(
              index, n,
              {unit_gradients_[i] + n * channels * size, size,
               pass_.pointwise[index] + n * channels * size, first_folds[i].direct.data(),
               first_folds[i].slope.data(), first_folds[i].constant.data()},
              GradientOf(unit.input, n), /*accumulate=*/true, nullptr, unit_sums);
        }
      }
    });
  }

  // Asks for a plane that is read soon: a processor foresees none beyond the end of a page, and the
  // outputs of a batch do not stay in cache.
  static void Prefetch(int64_t size, const T* plane) {
    constexpr int64_t kLine = 64 / sizeof(T);
    for (int64_t i = 0; i < size; i += kLine) hwy::Prefetch(plane + i);
  }

  // The gradient of the processed channels, summed by channel, then its products with each term;
  // over the ranks. On the way, those of alphas and betas, of this rank alone.
  std::vector<double> NodeSums(int node, const std::vector<Term<T>>& terms) {
    const int64_t channels = processed(), size = pass_.out_size();
    const int64_t k = plan_.options.partial_channels;
    const int64_t normalized = (terms.size() + 1) * channels;
    const int64_t width = normalized + NumEdges(node);
    std::vector<double> partial(tasks_ * width);
    // The identity has no normalization.
    std::vector<size_t> wanted;
    for (size_t t = 0; t < terms.size(); ++t) {
      if (terms[t].fold != nullptr || gradients_.architecture) wanted.push_back(t);
    }
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      double* sums = &partial[task * width];
      for (int64_t n = begin; n < end; ++n) {
        const T* g = GradientOfNode(node, n);
        for (int64_t c = 0; c < channels; ++c) sums[c] += Sum(size, g + c * k * size);
        for (size_t i = 0; i < wanted.size(); ++i) {
          const T* const y = terms[wanted[i]].Sample(n, channels);
          const T* const next = i + 1 < wanted.size() ? terms[wanted[i + 1]].Sample(n, channels)
                                                      : terms[wanted[0]].Sample(n + 1, channels);
          for (int64_t c = 0; c < channels; ++c) {
            Prefetch(size, next + c * size);
            sums[(wanted[i] + 1) * channels + c] += Dot(size, g + c * k * size, y + c * size);
          }
        }
        if (!gradients_.architecture) continue;
        for (int state = 0; state < NumEdges(node); ++state) {
          const T* x = Bypass(pass_, state, n);
          for (int64_t b = 0; b < bypassed(); ++b) {
            sums[normalized + state] += Dot(size, g + BypassPlane(b) * size, x + b * size);
          }
        }
      }
    });
    std::vector<double> sums = AddTasks(partial, tasks_, width);
    if (gradients_.architecture) {
      for (int state = 0; state < NumEdges(node); ++state) {
        gradients_.edge_weights[EdgeIndex(node, state)] = sums[normalized + state];
      }
      for (size_t t = 0; t < terms.size(); ++t) {
        const Term<T>& term = terms[t];
        double& gradient =
            gradients_.primitive_weights[term.edge * kNumSearchPrimitives + term.primitive];
        for (int64_t c = 0; c < channels; ++c) {
          const double product = sums[(t + 1) * channels + c];
          gradient += term.fold == nullptr
                          ? product
                          : term.fold->scale[c] * product + term.fold->shift[c] * sums[c];
        }
      }
    }
    sums.resize(normalized);
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);
    return sums;
  }

  // Where channel b of those passed by lies in a node.
  int64_t BypassPlane(int64_t b) const {
    return b % processed() * plan_.options.partial_channels + b / processed() + 1;
  }

  // From the node's gradient to its states' and second units'; returns for the latter the sums of
  // the gradient of the normalization before them, and with its input, by unit and channel, over
  // the ranks.
  std::vector<double> BackwardOfTerms(int node, const std::vector<Term<T>>& terms,
                                      const std::vector<GradientFold<T>>& folds) {
    const int64_t channels = processed(), size = pass_.out_size();
    const int64_t k = plan_.options.partial_channels;
    const int64_t width = plan_.second_units[node].size() * channels * 2;
    std::vector<double> partial(tasks_ * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      if (node == kCellNodes - 1) StartGradients(begin, end);
      int64_t seconds = 0;
      for (size_t t = 0; t < terms.size(); ++t) {
        const Term<T>& term = terms[t];
        if (term.unit < 0) continue;  // FinishState.
        const bool second = plan_.units[term.unit].previous >= 0;
        UnitSums unit_sums(*this, term.unit, task);
        for (int64_t n = begin; n < end; ++n) {
          T* target =
              second ? unit_gradients_[seconds] + n * channels * size : GradientOf(term.state, n);
          double* norm_sums = second ? &partial[task * width + 2 * seconds * channels] : nullptr;
          BackwardOfUnit(term.unit, n,
                         {GradientOfNode(node, n), k * size, term.Sample(n, channels),
                          folds[t].direct.data(), folds[t].slope.data(), folds[t].constant.data()},
                         target, /*accumulate=*/!second, norm_sums, unit_sums);
        }
        if (second) ++seconds;
      }
    });
    std::vector<double> sums = AddTasks(partial, tasks_, width);
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);
    return sums;
  }

  // When every node that reads it is done: what passes on through pools, identities, and beside
  // the edges.
  void FinishState(int state) {
    const int64_t channels = processed(), size = pass_.out_size();
    const int64_t k = plan_.options.partial_channels, state_size = pass_.state_size(state);
    std::array<GradientFold<T>, 2> folds;
    for (int kind = 0; kind < 2; ++kind) {
      const std::vector<double>& sums = pool_sums_[state][kind];
      // Of the last edge; in training, as of any other.
      const Fold<T>& fold = pass_.pool_folds[EdgeIndex(kCellNodes - 1, state)][kind];
      folds[kind] = FoldGradientOf(fold, fold, T(1), pass_.global_samples * size, sums.data(),
                                   sums.data() + channels);
      folds[kind].direct.assign(channels, T(1));  // The edges' scales are in the combination.
    }
    ForEachTask(pass_.samples, [&](int64_t, int64_t begin, int64_t end) {
      T* combined = PassScratch<T>(kCombined, channels * size);
      for (int64_t n = begin; n < end; ++n) {
        T* target = GradientOf(state, n);
        for (int kind = 0; kind < 2; ++kind) {
          for (int64_t c = 0; c < channels; ++c) {
            CombineNodes(state, n, c * k, nullptr, combined + c * size, [&](int edge) {
              return pass_.PrimitiveWeight(edge, kPoolColumns[kind]) *
                     pass_.pool_folds[edge][kind].scale[c];
            });
          }
          PoolBackward(
              /*max=*/kind == 0, channels, pass_.state_height(state), pass_.state_width(state),
              plan_.stride(state), pass_.State(state, n), state_size,
              pass_.pools[state][kind] + n * channels * size,
              {combined, size, pass_.pools[state][kind] + n * channels * size,
               folds[kind].direct.data(), folds[kind].slope.data(), folds[kind].constant.data()},
              target, state_size, ThreadScratch<T>());
        }
        if (plan_.stride(state) == 1) {
          for (int64_t c = 0; c < channels; ++c) {
            CombineNodes(state, n, c * k, target + c * size, target + c * size,
                         [&](int edge) { return pass_.PrimitiveWeight(edge, kSkipColumn); });
          }
        }
        for (int64_t b = 0; b < bypassed(); ++b) {
          T* channel = target + (channels + b) * state_size;
          const auto weight = [&](int edge) { return pass_.edge_weights[edge]; };
          if (plan_.stride(state) == 1) {
            const T* const given =
                state < kCellInputs ? nullptr
                                    : Given(state - kCellInputs, n) + (channels + b) * state_size;
            CombineNodes(state, n, BypassPlane(b), given, channel, weight);
            continue;
          }
          std::fill_n(channel, state_size, T(0));
          CombineNodes(state, n, BypassPlane(b), nullptr, combined, weight);
          MaxOfSquaresBackward(1, pass_.height, pass_.width,
                               pass_.State(state, n) + (channels + b) * state_size,
                               Bypass(pass_, state, n) + b * size, combined, channel);
        }
      }
    });
  }

  // sum = added + the gradients' planes `plane` of the nodes that edges lead to from `state`, each
  // times weight(edge); without `added` if it is null.
  template <typename Weight>
  void CombineNodes(int state, int64_t n, int64_t plane, const T* added, T* sum,
                    const Weight& weight) {
    const int64_t size = pass_.out_size();
    std::array<const T*, kCellNodes + 1> terms;
    std::array<T, kCellNodes + 1> weights;
    int count = 0;
    if (added != nullptr) {
      terms[count] = added;
      weights[count++] = 1;
    }
    for (int node = std::max(0, state - kCellInputs + 1); node < kCellNodes; ++node, ++count) {
      terms[count] = GradientOfNode(node, n) + plane * size;
      weights[count] = weight(EdgeIndex(node, state));
    }
    Combine(size, count, terms.data(), weights.data(), T(0), sum);
  }

  void BackwardOfPreprocessing() {
    const int64_t channels = plan_.options.channels, size = pass_.height * pass_.width;
    const int64_t width = kCellInputs * 2 * channels;
    std::vector<double> partial(tasks_ * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        double* sums = &partial[task * width];
        for (int input = 0; input < kCellInputs; ++input, sums += 2 * channels) {
          const T* g = GradientOf(input, n);
          const T* y = pass_.State(input, n);
          for (int64_t c = 0; c < channels; ++c) {
            sums[c] += Sum(size, g + c * size);
            sums[channels + c] += Dot(size, g + c * size, y + c * size);
          }
        }
      }
    });
    std::vector<double> sums = AddTasks(partial, tasks_, width);
    if (pass_.training) SumOverRanks(pass_.cell.communicator, sums);

    // The states are kept normalized.
    const Fold<T> identity{std::vector<T>(channels, T(1)), std::vector<T>(channels, T(0))};
    std::array<GradientFold<T>, kCellInputs> folds;
    for (int input = 0; input < kCellInputs; ++input) {
      const double* sum = &sums[input * 2 * channels];
      folds[input] = FoldGradientOf(pass_.folds[input], identity, T(1), pass_.global_samples * size,
                                    sum, sum + channels);
    }
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (int input = 0; input < kCellInputs; ++input) {
        const Unit& unit = plan_.units[input];
        UnitSums unit_sums(*this, input, task);
        const int64_t in_size =
            unit.shape.in * pass_.input_height[input] * pass_.input_width[input];
        for (int64_t n = begin; n < end; ++n) {
          T* target = gradients_.inputs[input];
          if (target == nullptr) {
            target = PassScratch<T>(kUnwanted, in_size);
          } else {
            target += n * in_size;
          }
          BackwardOfUnit(
              input, n,
              {GradientOf(input, n), size, pass_.State(input, n), folds[input].direct.data(),
               folds[input].slope.data(), folds[input].constant.data()},
              target, /*accumulate=*/false, nullptr, unit_sums);
        }
      }
    });
  }

  void StoreSums() {
    if (gradients_.weights != nullptr) {
      const std::vector<double> sums = AddTasks(weight_sums_, tasks_, plan_.weights);
      for (int64_t i = 0; i < plan_.weights; ++i) gradients_.weights[i] = static_cast<T>(sums[i]);
    }
    if (probability_sums_.empty()) return;
    const std::vector<double> sums = AddTasks(probability_sums_, tasks_, ProbabilityWidth());
    const std::vector<int64_t>& bits = pass_.cell.bits;
    for (int row = 0; row < CellPlan::kRows; ++row) {
      const double* of_row = &sums[row * (num_candidates_ + 1)];
      int candidate = 0;
      for (size_t i = 0; i < bits.size(); ++i) {
        gradients_.activation_probabilities[row * bits.size() + i] =
            bits[i] == 32 ? of_row[num_candidates_] : of_row[candidate++];
      }
    }
  }

  const CellPass<T>& pass_;
  const CellPlan& plan_;
  CellGradients<T>& gradients_;
  const int64_t tasks_;
  const int num_candidates_;  // But the one of 32 bits.

  std::shared_ptr<void> memory_;
  std::array<T*, kCellInputs> input_gradients_;  // [N, C, H, W]
  T* source_gradients_;                          // [N, kSourceNodes C, H, W]
  std::vector<T*> unit_gradients_;               // By second unit of a node: [N, P, H, W].

  std::vector<double> weight_sums_;       // [tasks, weights]
  std::vector<double> probability_sums_;  // [tasks, rows, candidates + 1]
  // By state and kind: the normalized pool's gradient, then its products with the pool.
  std::array<std::array<std::vector<double>, 2>, kSourceStates> pool_sums_;
};

}  // namespace

template <typename T>
void RunBackward(const CellPass<T>& pass, CellGradients<T>& gradients) {
  Backward<T>(pass, gradients).Run();
}

template void RunBackward(const CellPass<float>&, CellGradients<float>&);
template void RunBackward(const CellPass<double>&, CellGradients<double>&);

}  // namespace nas::fused
