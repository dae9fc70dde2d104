#include "nas/deployment/level_comparison.h"

#include <algorithm>
#include <cmath>

#include "ATen/ops/from_blob.h"
#include "c10/core/GradMode.h"
#include "quant/exact_sums.h"
#include "quant/runtime/packed_network.h"

namespace nas {

LevelComparison::LevelComparison(DerivedNetwork& network, const quant::runtime::Network& packed)
    : network_(network), packed_(packed) {
  network.eval();
  for (const auto& parameter : network.named_parameters())
    names_[parameter.value().unsafeGetTensorImpl()] =
        parameter.key().substr(0, parameter.key().rfind(".conv.weight"));
}

int64_t LevelComparison::Sum(int64_t Layer::*count) const {
  int64_t sum = 0;
  for (const auto& [name, layer] : layers_) sum += layer.*count;
  return sum;
}

LevelComparison::LevelsByConv LevelComparison::Observe(const at::Tensor& images,
                                                       at::Tensor& logits) const {
  LevelsByConv levels;
  const quant::LevelObserver observer([&](const at::Tensor& weight, const quant::Levels& x) {
    if (x.integers)
      levels[names_.at(weight.unsafeGetTensorImpl())] =
          x.levels.permute({0, 2, 3, 1}).to(at::kShort).contiguous();
  });
  logits = network_.forward(images).logits.contiguous();
  return levels;
}

void LevelComparison::CompareImage(const at::Tensor& image, int64_t index,
                                   const LevelsByConv& expected,
                                   const at::Tensor& expected_logits) {
  std::vector<float> logits(packed_.num_classes());
  const at::Tensor input = image.permute({1, 2, 0}).contiguous();
  packed_.RunObserved(input.const_data_ptr<float>(), logits.data(),
                      [&](const quant::runtime::Node& conv, const quant::runtime::Shape& shape,
                          const int16_t* levels) {
                        // LibTorch's input of a shifted convolution begins where its window does.
                        const at::Tensor ours =
                            at::from_blob(const_cast<int16_t*>(levels),
                                          {shape.height, shape.width, shape.channels}, at::kShort)
                                .slice(0, std::max(0, -conv.window.pad_top))
                                .slice(1, std::max(0, -conv.window.pad_left));
                        const at::Tensor theirs = expected.at(conv.name)[index];
                        Layer& layer = layers_[conv.name];
                        layer.levels += theirs.numel();
                        layer.different += ours.ne(theirs).sum().item<int64_t>();
                      });
  const float* const other = expected_logits.const_data_ptr<float>();
  const auto top = [&](const float* v) { return std::max_element(v, v + logits.size()) - v; };
  different_classes_ += top(logits.data()) != top(other);
  for (size_t k = 0; k < logits.size(); ++k)
    largest_difference_ = std::max<double>(largest_difference_, std::abs(logits[k] - other[k]));
}

void LevelComparison::Add(const at::Tensor& images) {
  const c10::NoGradGuard no_grad;
  at::Tensor logits, ordinary_logits;
  const LevelsByConv ordinary = Observe(images, ordinary_logits);
  const quant::ExactSumsGuard exact;
  const LevelsByConv expected = Observe(images, logits);
  for (int64_t i = 0; i < images.size(0); ++i) CompareImage(images[i], i, expected, logits[i]);
  for (auto& [name, layer] : layers_)
    layer.moved += ordinary.at(name).ne(expected.at(name)).sum().item<int64_t>();
  images_ += images.size(0);
}

}  // namespace nas
