// What the forward pass of a fused operation computes with, and leaves for its backward pass.
#ifndef NAS_FUSED_CHAIN_PASS_H_
#define NAS_FUSED_CHAIN_PASS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "nas/fused/chain_spec.h"
#include "nas/fused/normalization.h"
#include "nas/fused/quantizer_set.h"
#include "nas/fused/unit_pass.h"

namespace nas::fused {

template <typename T>
struct ChainPass {
  explicit ChainPass(const ChainSpec& chain) : spec(chain) {}

  const ChainSpec spec;
  bool training = true;
  int64_t samples = 0;
  double global_samples = 0;
  int64_t height = 0, width = 0;  // Of the input.

  // What the operator was given.
  std::vector<const T*> parts;                   // [N, C, H, W] each,
  std::vector<int64_t> part_channels;            // C of each.
  std::vector<std::array<const T*, 2>> weights;  // By unit and convolution; quantized.
  std::vector<const T*> scales, shifts;          // By unit; null without affine part.

  // By unit.
  std::vector<std::shared_ptr<void>> memory;
  std::vector<T*> pointwise;        // [N, out, H, W], not normalized; in `memory`.
  std::vector<Fold<T>> normalized;  // What normalizes it,
  std::vector<Fold<T>> folds;       // and scales and shifts it, too.
  std::vector<std::array<QuantizerSet<T>, 2>> quantizers;

  int num_units() const { return static_cast<int>(spec.units.size()); }
  const UnitShape& shape(int unit) const { return spec.units[unit].shape; }
  // Only the first unit has a stride.
  int64_t out_height() const { return height / shape(0).stride; }
  int64_t out_width() const { return width / shape(0).stride; }
  int64_t out_size() const { return out_height() * out_width(); }

  UnitConvs<T> ConvsOf(int unit) const {
    return {weights[unit], {quantizers[unit][0].Mixture(), quantizers[unit][1].Mixture()}};
  }

  T* Pointwise(int unit, int64_t sample) const {
    return pointwise[unit] + sample * shape(unit).out * out_size();
  }

  // A sample's planes of tensors like the parts.
  template <typename Value>
  Planes<Value> PartsOf(const std::vector<Value*>& tensors, int64_t sample) const {
    const int64_t size = height * width;
    absl::InlinedVector<typename Planes<Value>::Part, 4> of_sample;
    for (size_t i = 0; i < tensors.size(); ++i) {
      of_sample.push_back({tensors[i] + sample * part_channels[i] * size, part_channels[i]});
    }
    return {std::move(of_sample), size};
  }
  UnitInput<T> InputOf(int unit, int64_t sample) const {
    if (unit > 0) {
      const Fold<T>& fold = folds[unit - 1];
      return {{Pointwise(unit - 1, sample), out_size()},
              out_height(),
              out_width(),
              {fold.scale.data(), fold.shift.data(), true}};
    }
    return {PartsOf(parts, sample), height, width, {}};
  }
};

// probabilities: by unit and convolution, of its bits; ignored for a single candidate. out: [N,
// out, H, W], normalized.
template <typename T>
void RunForward(ChainPass<T>& pass, const std::vector<std::array<std::vector<T>, 2>>& probabilities,
                T* out);

// Which gradients are wanted, and where they go; null: not wanted.
template <typename T>
struct ChainGradients {
  const T* out = nullptr;                        // The output's.
  std::vector<T*> parts;                         // All null or none.
  std::vector<std::array<T*, 2>> weights;        // By unit and convolution; all null or none.
  std::vector<std::array<T*, 2>> probabilities;  // Likewise; null also for a single candidate.
  std::vector<T*> scales, shifts;                // By unit.
};
template <typename T>
void RunBackward(const ChainPass<T>& pass, const ChainGradients<T>& gradients);

}  // namespace nas::fused

#endif  // NAS_FUSED_CHAIN_PASS_H_
