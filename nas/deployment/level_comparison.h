// A trained network in LibTorch beside its packed form, level by level.
//
//   LevelComparison comparison(*network, packed);
//   for (…) comparison.Add(images);
//   comparison.different_levels();   // 0
#ifndef NAS_DEPLOYMENT_LEVEL_COMPARISON_H_
#define NAS_DEPLOYMENT_LEVEL_COMPARISON_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "nas/derived/derived_network.h"
#include "quant/runtime/network.h"

namespace nas {

class LevelComparison {
 public:
  // Of the input of a convolution on integers, over all images.
  struct Layer {
    int64_t levels = 0;
    int64_t different = 0;  // Of the packed network, from the network's with exact sums.
    int64_t moved = 0;      // By the rounding of the network's ordinary sums, from the same.
  };

  // Both outlive it. Sets the network to evaluation.
  LevelComparison(DerivedNetwork& network, const quant::runtime::Network& packed);

  // Images [N, 3, side, side] on the CPU.
  void Add(const at::Tensor& images);

  const std::map<std::string, Layer>& layers() const { return layers_; }  // By convolution.
  int64_t levels() const { return Sum(&Layer::levels); }
  int64_t different_levels() const { return Sum(&Layer::different); }
  int64_t moved_levels() const { return Sum(&Layer::moved); }
  int64_t images() const { return images_; }
  // Images of which the packed network names another class than the network with exact sums.
  int64_t different_classes() const { return different_classes_; }
  double largest_difference() const { return largest_difference_; }  // Of logits.

 private:
  using LevelsByConv = std::map<std::string, at::Tensor>;  // int16 [N, height, width, channels]

  int64_t Sum(int64_t Layer::*count) const;
  LevelsByConv Observe(const at::Tensor& images, at::Tensor& logits) const;
  void CompareImage(const at::Tensor& image, int64_t index, const LevelsByConv& expected,
                    const at::Tensor& expected_logits);

  DerivedNetwork& network_;
  const quant::runtime::Network& packed_;
  std::map<const void*, std::string> names_;  // Of convolutions, by their weights.
  std::map<std::string, Layer> layers_;
  int64_t images_ = 0, different_classes_ = 0;
  double largest_difference_ = 0;
};

}  // namespace nas

#endif  // NAS_DEPLOYMENT_LEVEL_COMPARISON_H_
