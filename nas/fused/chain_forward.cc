#include <cstddef>

#include "nas/fused/buffer_pool.h"
#include "nas/fused/chain_pass.h"
#include "nas/fused/tasks.h"
#include "quant/quantizers.h"

namespace nas::fused {
namespace {

template <typename T>
class Forward {
 public:
  using Probabilities = std::vector<std::array<std::vector<T>, 2>>;

  Forward(ChainPass<T>& pass, const Probabilities& probabilities)
      : pass_(pass), probabilities_(probabilities) {
    pass_.quantizers.resize(pass.num_units());
  }

  void Run(T* out) {
    for (int unit = 0; unit < pass_.num_units(); ++unit) {
      const int64_t size = pass_.samples * pass_.shape(unit).out * pass_.out_size();
      pass_.memory.push_back(BufferPool::Global().Get(size * sizeof(T)));
      pass_.pointwise.push_back(static_cast<T*>(pass_.memory.back().get()));
      MakeUnitQuantizers(unit);
      RunUnit(unit);
    }
    Normalize(out);
  }

 private:
  void SetQuantizers(int unit, int conv, const std::vector<T>& ranges) {
    const ChainConv& of = pass_.spec.units[unit].convs[conv];
    pass_.quantizers[unit][conv] =
        MakeQuantizers(of.bits, of.eight_bit, probabilities_[unit][conv].data(), ranges);
  }

  // Whether the quantizers before a convolution depend on the batch.
  bool NeedsBatchRange(int unit, int conv) const {
    const ChainConv& of = pass_.spec.units[unit].convs[conv];
    return quant::NeedsRange(of.bits) && !of.range.defined();
  }

  // Of fixed quantizers; else empty.
  std::vector<T> FixedRange(int unit, int conv) const {
    const ChainConv& of = pass_.spec.units[unit].convs[conv];
    if (!quant::NeedsRange(of.bits) || !of.range.defined()) return {};
    const int64_t channels = pass_.shape(unit).in;
    const at::Tensor pairs =
        of.range.to(c10::CppTypeToScalarType<T>::value).reshape({2, channels}).t().contiguous();
    const T* begin = pairs.template const_data_ptr<T>();
    return {begin, begin + 2 * channels};
  }

  void MakeUnitQuantizers(int unit) {
    const UnitShape& shape = pass_.shape(unit);
    const bool reduces = shape.kind == UnitKind::kReduce;
    std::vector<T> ranges;
    if (NeedsBatchRange(unit, 0) || (reduces && NeedsBatchRange(unit, 1))) {
      ranges =
          RangesOf<T>(pass_.samples, reduces ? 2 * shape.in : shape.in, pass_.spec.communicator,
                      [&](int64_t n, T* r) { JoinInputRanges(shape, pass_.InputOf(unit, n), r); });
      Activation<T> activation;
      if (unit > 0) {
        activation.scale = pass_.folds[unit - 1].scale.data();
        activation.shift = pass_.folds[unit - 1].shift.data();
      }
      ActivateRanges(activation, shape.in, ranges);
    }
    const auto set = [&](int conv, const std::vector<T>& of_batch) {
      SetQuantizers(unit, conv, NeedsBatchRange(unit, conv) ? of_batch : FixedRange(unit, conv));
    };
    set(0, FirstChannels(ranges, shape.in));
    if (reduces) set(1, LastChannels(ranges, shape.in));
    if (shape.kind != UnitKind::kSeparable) return;
    std::vector<T> between;
    if (NeedsBatchRange(unit, 1)) {
      between = RangesOf<T>(pass_.samples, shape.in, pass_.spec.communicator, [&](int64_t n, T* r) {
        T* const d = pass_.Pointwise(unit, n);
        UnitDepthwise(shape, pass_.InputOf(unit, n), pass_.ConvsOf(unit), d);
        JoinRanges(shape.in, pass_.out_size(), Planes<const T>(d, pass_.out_size()), r);
      });
    }
    set(1, between);
  }

  void RunUnit(int unit) {
    const UnitShape& shape = pass_.shape(unit);
    const UnitConvs<T> convs = pass_.ConvsOf(unit);
    const int64_t tasks = NumTasks(pass_.samples), width = kChannelSums * shape.out;
    const bool has_depthwise = shape.kind == UnitKind::kSeparable && NeedsBatchRange(unit, 1);
    std::vector<double> partial(tasks * width);
    ForEachTask(pass_.samples, [&](int64_t task, int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        UnitForward(shape, pass_.InputOf(unit, n), convs, has_depthwise, pass_.Pointwise(unit, n),
                    &partial[task * width]);
      }
    });
    std::vector<double> sums = AddTasks(partial, tasks, width);
    sums.push_back(static_cast<double>(pass_.samples));
    if (pass_.training) SumOverRanks(pass_.spec.communicator, sums);
    pass_.global_samples = sums.back();

    Fold<T> fold =
        FoldStatistics<T>(shape.out, sums.data(), pass_.global_samples * pass_.out_size(),
                          pass_.training, pass_.spec.units[unit].normalization);
    pass_.normalized.push_back(fold);
    if (pass_.scales[unit] != nullptr) {
      for (int64_t c = 0; c < shape.out; ++c) {
        fold.scale[c] *= pass_.scales[unit][c];
        fold.shift[c] = fold.shift[c] * pass_.scales[unit][c] + pass_.shifts[unit][c];
      }
    }
    pass_.folds.push_back(std::move(fold));
  }

  void Normalize(T* out) const {
    const Fold<T>& fold = pass_.folds.back();
    const int64_t size = pass_.out_size(), channels = static_cast<int64_t>(fold.scale.size());
    ForEachTask(pass_.samples, [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t i = begin * channels; i < end * channels; ++i) {
        const T* const y = pass_.pointwise.back() + i * size;
        const int64_t c = i % channels;
        Combine(size, 1, &y, &fold.scale[c], fold.shift[c], out + i * size);
      }
    });
  }

  ChainPass<T>& pass_;
  const Probabilities& probabilities_;
};

}  // namespace

template <typename T>
void RunForward(ChainPass<T>& pass, const std::vector<std::array<std::vector<T>, 2>>& probabilities,
                T* out) {
  Forward<T>(pass, probabilities).Run(out);
}

template void RunForward(ChainPass<float>&, const std::vector<std::array<std::vector<float>, 2>>&,
                         float*);
template void RunForward(ChainPass<double>&, const std::vector<std::array<std::vector<double>, 2>>&,
                         double*);

}  // namespace nas::fused
