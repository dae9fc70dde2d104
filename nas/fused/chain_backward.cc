#include <cstddef>
#include <memory>

#include "nas/fused/buffer_pool.h"
#include "nas/fused/chain_pass.h"
#include "nas/fused/tasks.h"

namespace nas::fused {
namespace {

template <typename T>
class Backward {
 public:
  Backward(const ChainPass<T>& pass, const ChainGradients<T>& gradients)
      : pass_(pass), gradients_(gradients), tasks_(NumTasks(pass.samples)) {}

  void Run() {
    const int last = pass_.num_units() - 1;
    std::vector<double> sums = OutputSums();
    const T* g = gradients_.out;
    std::shared_ptr<void> memory;  // What g points to.
    for (int unit = last; unit >= 0; --unit) {
      StoreAffine(unit, sums);
      if (pass_.training) SumOverRanks(pass_.spec.communicator, sums);
      std::shared_ptr<void> next;
      T* gx = nullptr;
      if (unit > 0) {
        next = BufferPool::Global().Get(pass_.samples * pass_.shape(unit).in * pass_.out_size() *
                                        sizeof(T));
        gx = static_cast<T*>(next.get());
      }
      sums = BackwardOfUnit(unit, g, Folded(unit, sums), gx);
      memory = std::move(next);
      g = gx;
    }
  }

 private:
  // Of the gradient of the output, and of that times what is normalized, before it is.
  std::vector<double> OutputSums() const {
    const int64_t size = pass_.out_size(), channels = pass_.shape(pass_.num_units() - 1).out;
    const int64_t width = 2 * channels;
    std::vector<double> partial(tasks_ * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (int64_t i = begin * channels; i < end * channels; ++i) {
        double* sums = &partial[task * width + 2 * (i % channels)];
        sums[0] += Sum(size, gradients_.out + i * size);
        sums[1] += Dot(size, gradients_.out + i * size, pass_.pointwise.back() + i * size);
      }
    });
    return AddTasks(partial, tasks_, width);
  }

  // Those of this rank, like those of any parameter.
  void StoreAffine(int unit, const std::vector<double>& sums) const {
    const Fold<T>& normalized = pass_.normalized[unit];
    for (int64_t c = 0; c < pass_.shape(unit).out; ++c) {
      if (T* shifts = gradients_.shifts[unit]) shifts[c] = static_cast<T>(sums[2 * c]);
      if (T* scales = gradients_.scales[unit]) {
        scales[c] = static_cast<T>(Product(normalized, c, sums));
      }
    }
  }

  // The sum of the gradient times what is normalized.
  static double Product(const Fold<T>& normalized, int64_t c, const std::vector<double>& sums) {
    return normalized.scale[c] * sums[2 * c + 1] + normalized.shift[c] * sums[2 * c];
  }

  GradientFold<T> Folded(int unit, const std::vector<double>& sums) const {
    const int64_t channels = pass_.shape(unit).out;
    std::vector<double> sum(channels), product(channels);
    for (int64_t c = 0; c < channels; ++c) {
      sum[c] = sums[2 * c];
      product[c] = Product(pass_.normalized[unit], c, sums);
    }
    return FoldGradient(pass_.folds[unit].scale, pass_.normalized[unit], T(1),
                        pass_.global_samples * pass_.out_size(), pass_.training, sum.data(),
                        product.data());
  }

  // From the gradient of the unit's normalized output to that of the normalization before it, gx,
  // whose sums it returns; of the first unit, to the parts'.
  std::vector<double> BackwardOfUnit(int unit, const T* g, const GradientFold<T>& fold, T* gx) {
    const UnitShape& shape = pass_.shape(unit);
    const UnitConvs<T> convs = pass_.ConvsOf(unit);
    const int64_t size = pass_.out_size(), out_size = shape.out * size;
    const int64_t width = unit > 0 ? 2 * shape.in : 0;
    const std::array<int, 2> candidates = {pass_.quantizers[unit][0].count + 1,
                                           pass_.quantizers[unit][1].count + 1};
    const int64_t both = candidates[0] + candidates[1];
    const bool wants_weights = gradients_.weights[unit][0] != nullptr;
    std::vector<double> norm_sums(tasks_ * width), probability_sums(tasks_ * both),
        weight_sums(wants_weights ? tasks_ * shape.weights() : 0);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      UnitWeightSums<T> sums(shape, wants_weights ? &weight_sums[task * shape.weights()] : nullptr);
      for (int conv = 0; conv < 2; ++conv) {
        if (gradients_.probabilities[unit][conv] == nullptr) continue;
        sums.sums.probabilities[conv] =
            &probability_sums[task * both + (conv == 0 ? 0 : candidates[0])];
      }
      for (int64_t n = begin; n < end; ++n) {
        const UnitInput<T> input = pass_.InputOf(unit, n);
        const int64_t in_size = input.height * input.width;
        const Planes<T> target =
            unit > 0 ? Planes<T>(gx + n * shape.in * in_size, in_size) : PartsGradient(n, in_size);
        UnitBackward(shape, input, convs,
                     {g + n * out_size, size, pass_.pointwise[unit] + n * out_size,
                      fold.direct.data(), fold.slope.data(), fold.constant.data()},
                     target, /*accumulate=*/false, unit > 0 ? &norm_sums[task * width] : nullptr,
                     sums.sums);
      }
    });
    StoreWeights(unit, AddTasks(weight_sums, wants_weights ? tasks_ : 0, shape.weights()));
    StoreProbabilities(unit, AddTasks(probability_sums, tasks_, both));
    return AddTasks(norm_sums, tasks_, width);
  }

  // Where the gradient of a sample of the input goes.
  Planes<T> PartsGradient(int64_t sample, int64_t size) const {
    if (gradients_.parts[0] != nullptr) return pass_.PartsOf(gradients_.parts, sample);
    return {PassScratch<T>(kUnwanted, pass_.shape(0).in * size), size};
  }

  void StoreWeights(int unit, const std::vector<double>& sums) const {
    if (gradients_.weights[unit][0] == nullptr) return;
    const int64_t first = pass_.shape(unit).first_weights();
    for (int64_t i = 0; i < pass_.shape(unit).weights(); ++i) {
      T* target =
          i < first ? gradients_.weights[unit][0] + i : gradients_.weights[unit][1] + (i - first);
      *target = static_cast<T>(sums[i]);
    }
  }

  void StoreProbabilities(int unit, const std::vector<double>& sums) const {
    const double* next = sums.data();
    for (int conv = 0; conv < 2; ++conv) {
      const int count = pass_.quantizers[unit][conv].count;
      if (T* target = gradients_.probabilities[unit][conv]) {
        int candidate = 0;
        for (const int64_t bits : pass_.spec.units[unit].convs[conv].bits) {
          *target++ = static_cast<T>(bits == quant::kFloatBits ? next[count] : next[candidate++]);
        }
      }
      next += count + 1;
    }
  }

  const ChainPass<T>& pass_;
  const ChainGradients<T>& gradients_;
  const int64_t tasks_;
};

}  // namespace

template <typename T>
void RunBackward(const ChainPass<T>& pass, const ChainGradients<T>& gradients) {
  Backward<T>(pass, gradients).Run();
}

template void RunBackward(const ChainPass<float>&, const ChainGradients<float>&);
template void RunBackward(const ChainPass<double>&, const ChainGradients<double>&);

}  // namespace nas::fused
