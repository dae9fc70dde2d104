// Which channels an edge processes: PC-DARTS's sampling mask S (arXiv:1907.05737, equation 3), as
// an order in which those come first.
//
// The published code takes the first ones and shuffles behind them; with channels drawn anew at
// every step none stays unprocessed, and each goes back to its place.
#ifndef NAS_SUPERNET_CHANNEL_ORDER_H_
#define NAS_SUPERNET_CHANNEL_ORDER_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace nas {

class ChannelOrder {
 public:
  // The order that is there. channels: a multiple of partial_channels.
  ChannelOrder(int64_t channels, int64_t partial_channels);

  // Draws an order from LibTorch's default generator on the CPU.
  void Draw();

  // x [N, C, H, W] with its channels in this order.
  at::Tensor Take(const at::Tensor& x) const;

  // Undoes Take and MixNode's channel shuffle on what MixNode made of them: [N, C, H, W] in, the
  // same out.
  at::Tensor PutBack(const at::Tensor& shuffled) const;

 private:
  at::Tensor shuffled_place_;  // [C]: where the shuffle puts the channel that is i-th in the order.
  at::Tensor order_;           // [C]
};

}  // namespace nas

#endif  // NAS_SUPERNET_CHANNEL_ORDER_H_
