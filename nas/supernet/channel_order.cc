#include "nas/supernet/channel_order.h"

#include "ATen/ops/arange.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/randperm.h"

namespace nas {

ChannelOrder::ChannelOrder(int64_t channels, int64_t partial_channels)
    : shuffled_place_(at::arange(channels, at::kLong)
                          .view({channels / partial_channels, partial_channels})
                          .t()
                          .flatten()),
      order_(at::arange(channels, at::kLong)) {}

void ChannelOrder::Draw() { order_ = at::randperm(order_.size(0), at::kLong); }

at::Tensor ChannelOrder::Take(const at::Tensor& x) const {
  return x.index_select(1, order_.to(x.device()));
}

at::Tensor ChannelOrder::PutBack(const at::Tensor& shuffled) const {
  at::Tensor source = at::empty_like(order_);
  source.index_copy_(0, order_, shuffled_place_);
  return shuffled.index_select(1, source.to(shuffled.device()));
}

}  // namespace nas
