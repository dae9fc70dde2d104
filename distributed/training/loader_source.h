// data::Loader as the source of a Trainer's batches, on the CPU or on a device.
#ifndef DISTRIBUTED_TRAINING_LOADER_SOURCE_H_
#define DISTRIBUTED_TRAINING_LOADER_SOURCE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "c10/core/Device.h"
#include "data/loader/loader.h"
#include "data/sources/dataset.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/image_upload.h"

namespace distributed {

class LoaderSource : public BatchSource {
 public:
  // A loader with `options`, whose format is kFloat32Nchw; `dataset` outlives it. Images come on
  // `device`. To another than the CPU they go as bytes, so that what was resized is rounded to
  // whole numbers, the next batch's during this one's step. Errors as from Loader::Create.
  static absl::StatusOr<std::unique_ptr<LoaderSource>> Create(const data::Dataset& dataset,
                                                              data::LoaderOptions options,
                                                              c10::Device device = c10::kCPU);

  // As on a device, also if that is the CPU.
  static absl::StatusOr<std::unique_ptr<LoaderSource>> CreateUploading(const data::Dataset& dataset,
                                                                       data::LoaderOptions options,
                                                                       c10::Device device);

  int64_t steps_per_epoch() const override { return loader_->steps_per_epoch(); }
  absl::Status Seek(int64_t epoch, int64_t step) override;
  bool IsReady(std::chrono::milliseconds patience) override;
  void Pause() override;

  // The tensors are the loader's memory, which returns to it with the last of them; images on a
  // device are not.
  absl::StatusOr<Batch> Next() override;

  std::vector<SkippedSample> TakeSkippedSamples() override;

 private:
  // A batch whose images are under way.
  struct Ahead {
    int64_t epoch, step;
    Batch batch;
    ImageUpload::Pending images;
  };

  LoaderSource(std::unique_ptr<data::Loader> loader, int world_size,
               std::shared_ptr<ImageUpload> upload)
      : loader_(std::move(loader)), world_size_(world_size), upload_(std::move(upload)) {}

  // All but the images.
  Batch LabelsOf(const data::Batch& batch) const;
  absl::StatusOr<Ahead> StartNext();

  const std::unique_ptr<data::Loader> loader_;
  const int world_size_;
  const std::shared_ptr<ImageUpload> upload_;  // Null where images stay where they are.
  std::optional<absl::StatusOr<Ahead>> ahead_;
  std::set<int64_t> taken_;  // Bad samples, by id.
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_LOADER_SOURCE_H_
