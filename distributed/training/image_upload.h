// Images on their way to a device: as bytes, a quarter of what floats would be, from page-locked
// memory, on a stream of their own, and normalized there.
#ifndef DISTRIBUTED_TRAINING_IMAGE_UPLOAD_H_
#define DISTRIBUTED_TRAINING_IMAGE_UPLOAD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "ATen/core/Tensor.h"
#include "absl/types/span.h"
#include "c10/core/Device.h"
#include "c10/core/Event.h"
#include "c10/core/Stream.h"
#include "data/pixels/pixel_region.h"
#include "data/pixels/pixel_writer.h"

namespace distributed {

class ImageUpload {
 public:
  // Images that are under way.
  struct Pending {
    at::Tensor images;
    std::optional<c10::Event> done;  // None on the CPU.
    std::shared_ptr<const void> owner;
  };

  // `device` may be the CPU, which has no stream: what is started is done then.
  ImageUpload(c10::Device device, const data::Normalization& normalization);

  // For LoaderOptions::allocate: memory that the device copies from without the processor.
  std::shared_ptr<uint8_t> Allocate(size_t bytes) const;

  // Starts with `bytes`, uint8 [n, height, width, 3] in memory that `owner` keeps. They become
  // float32 [n, 3, height, width], bit by bit what a data::PixelWriter makes of the same values,
  // and 0 in `erased`, which is empty or has a rectangle per image.
  Pending Start(const at::Tensor& bytes, absl::Span<const data::Rect> erased,
                std::shared_ptr<const void> owner);

  // The images, for the current stream, which waits for them; the caller does not.
  at::Tensor Finish(Pending pending);

 private:
  at::Tensor Normalize(const at::Tensor& bytes, absl::Span<const data::Rect> erased) const;

  const c10::Device device_;
  std::optional<c10::Stream> stream_;
  at::Tensor scale_, offset_;  // [3, 1, 1]
  // Memory that the device may not have read yet.
  std::deque<std::pair<c10::Event, std::shared_ptr<const void>>> held_;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_IMAGE_UPLOAD_H_
