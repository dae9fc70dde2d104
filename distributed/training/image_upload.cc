#include "distributed/training/image_upload.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ATen/Context.h"
#include "ATen/TensorOperators.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/tensor.h"
#include "c10/core/StreamGuard.h"
#include "c10/core/impl/VirtualGuardImpl.h"

namespace distributed {
namespace {

at::Tensor OfChannels(const std::array<float, 4>& values, c10::Device device) {
  return at::tensor(at::ArrayRef<float>(values.data(), 3), at::kFloat).view({3, 1, 1}).to(device);
}

bool IsEmpty(const data::Rect& rect) { return rect.width == 0 || rect.height == 0; }

// Bool [n, 1, height, width] on `device`.
at::Tensor MaskOf(absl::Span<const data::Rect> rects, int64_t height, int64_t width,
                  c10::Device device) {
  std::vector<int64_t> bounds;
  for (const data::Rect& rect : rects) {
    bounds.insert(bounds.end(), {rect.y, rect.y + rect.height, rect.x, rect.x + rect.width});
  }
  const int64_t count = rects.size();
  const at::Tensor bound = at::tensor(bounds, at::kLong).to(device).view({count, 4, 1, 1, 1});
  const auto within = [&](const at::Tensor& place, int64_t first) {
    return (place >= bound.select(1, first)).logical_and_(place < bound.select(1, first + 1));
  };
  const at::TensorOptions options = at::TensorOptions(at::kLong).device(device);
  const at::Tensor rows = within(at::arange(height, options).view({height, 1}), 0);
  return rows.logical_and(within(at::arange(width, options), 2));
}

}  // namespace

ImageUpload::ImageUpload(c10::Device device, const data::Normalization& normalization)
    : device_(device) {
  const data::PixelScale scale(normalization);
  scale_ = OfChannels(scale.scale, device);
  offset_ = OfChannels(scale.offset, device);
  if (!device.is_cpu()) {
    stream_ = c10::impl::VirtualGuardImpl(device.type())
                  .getStreamFromGlobalPool(device, /*isHighPriority=*/false);
  }
}

std::shared_ptr<uint8_t> ImageUpload::Allocate(size_t bytes) const {
  if (!stream_.has_value())
    return std::shared_ptr<uint8_t>(new uint8_t[bytes], std::default_delete<uint8_t[]>());
  auto memory = std::make_shared<c10::DataPtr>(
      at::globalContext().getPinnedMemoryAllocator(device_.type())->allocate(bytes));
  return {memory, static_cast<uint8_t*>(memory->get())};
}

at::Tensor ImageUpload::Normalize(const at::Tensor& bytes,
                                  absl::Span<const data::Rect> erased) const {
  at::Tensor images = bytes.permute({0, 3, 1, 2})
                          .to(at::kFloat, /*non_blocking=*/false,
                              /*copy=*/true, at::MemoryFormat::Contiguous);
  images.mul_(scale_).add_(offset_);
  if (!std::all_of(erased.begin(), erased.end(), IsEmpty)) {
    images.masked_fill_(MaskOf(erased, images.size(2), images.size(3), device_), 0);
  }
  return images;
}

ImageUpload::Pending ImageUpload::Start(const at::Tensor& bytes,
                                        absl::Span<const data::Rect> erased,
                                        std::shared_ptr<const void> owner) {
  if (!stream_.has_value()) {
    return {.images = Normalize(bytes, erased), .done = {}, .owner = std::move(owner)};
  }
  const c10::StreamGuard guard(*stream_);
  Pending pending = {.images = Normalize(bytes.to(device_, /*non_blocking=*/true), erased),
                     .done = c10::Event(device_.type()),
                     .owner = std::move(owner)};
  pending.done->record(*stream_);
  return pending;
}

at::Tensor ImageUpload::Finish(Pending pending) {
  if (!pending.done.has_value()) return std::move(pending.images);
  const c10::impl::VirtualGuardImpl guard(device_.type());
  const c10::Stream current = guard.getStream(device_);
  pending.done->block(current);
  guard.recordDataPtrOnStream(pending.images.storage().data_ptr(), current);
  held_.emplace_back(*std::move(pending.done), std::move(pending.owner));
  while (!held_.empty() && held_.front().first.query()) held_.pop_front();
  return std::move(pending.images);
}

}  // namespace distributed
