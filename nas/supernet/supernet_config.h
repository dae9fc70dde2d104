// The choices that make a supernet.
#ifndef NAS_SUPERNET_SUPERNET_CONFIG_H_
#define NAS_SUPERNET_SUPERNET_CONFIG_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "nas/space/image_kind.h"
#include "quant/bit_cost.h"
#include "quant/lattice.h"

namespace nas {

struct SupernetConfig {
  ImageKind images = ImageKind::kCifar;
  int64_t channels = 16;  // Of a node in the first cell; a multiple of partial_channels.
  int layers = 8;         // Cells.
  int64_t classes = 10;
  std::vector<int64_t> bits = {2, 4};  // Candidates for every convolution of the cells.
  int64_t partial_channels = 4;        // k; the published ImageNet supernet has 2.
  // Whether every edge of every cell processes channels drawn anew at each step, as PC-DARTS's
  // paper describes it; else the first ones, as its code does. Not fused, hence several times
  // slower.
  bool random_channels = false;
  quant::EightBit eight_bit = quant::EightBit::kPublished;
  quant::CostModel cost_model = quant::CostModel::kExact;
  // Weights every operation's complexity by its probability, softmax(alpha) * softmax(beta), and
  // lets the gradient reach them. Published: all candidates add up.
  bool expected_cost = false;
  // Gammas start as so much times N(0, 1); published: 1e-3.
  double gamma_start = 1e-3;

  // InvalidArgument, naming the field, its value and the allowed ones.
  absl::Status Check() const;
  // The same for the height or width of the images.
  absl::Status CheckImageSide(int64_t side) const;
};

}  // namespace nas

#endif  // NAS_SUPERNET_SUPERNET_CONFIG_H_
