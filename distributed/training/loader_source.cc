#include "distributed/training/loader_source.h"

#include <utility>

#include "ATen/ops/from_blob.h"
#include "base/status_macros.h"
#include "glog/logging.h"

namespace distributed {
namespace {

// A tensor on the batch's memory, which it keeps alive.
template <typename T>
at::Tensor Share(const data::Batch& batch, T* values, at::IntArrayRef sizes, at::ScalarType dtype) {
  const auto release = [owner = batch.owner](void*) {};
  return at::from_blob(const_cast<std::remove_const_t<T>*>(values), sizes, release, dtype);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LoaderSource>> LoaderSource::Create(const data::Dataset& dataset,
                                                                   data::LoaderOptions options,
                                                                   c10::Device device) {
  if (!device.is_cpu()) return CreateUploading(dataset, std::move(options), device);
  CHECK(options.format == data::PixelFormat::kFloat32Nchw);
  const int ranks = options.world_size;
  ASSIGN_OR_RETURN(auto loader, data::Loader::Create(dataset, std::move(options)));
  return std::unique_ptr<LoaderSource>(new LoaderSource(std::move(loader), ranks, nullptr));
}

absl::StatusOr<std::unique_ptr<LoaderSource>> LoaderSource::CreateUploading(
    const data::Dataset& dataset, data::LoaderOptions options, c10::Device device) {
  auto upload = std::make_shared<ImageUpload>(device, options.augmentation.normalization);
  options.format = data::PixelFormat::kUint8Nhwc;
  options.allocate = [upload](size_t bytes) { return upload->Allocate(bytes); };
  const int ranks = options.world_size;
  ASSIGN_OR_RETURN(auto loader, data::Loader::Create(dataset, std::move(options)));
  return std::unique_ptr<LoaderSource>(
      new LoaderSource(std::move(loader), ranks, std::move(upload)));
}

absl::Status LoaderSource::Seek(int64_t epoch, int64_t step) {
  if (ahead_.has_value() && ahead_->ok() && (*ahead_)->epoch == epoch && (*ahead_)->step == step) {
    return absl::OkStatus();
  }
  ahead_.reset();
  return loader_->Seek(epoch, step);
}

bool LoaderSource::IsReady(std::chrono::milliseconds patience) {
  return ahead_.has_value() || loader_->IsReady(patience);
}

void LoaderSource::Pause() {
  if (ahead_.has_value() && ahead_->ok()) {
    const absl::Status back = loader_->Seek((*ahead_)->epoch, (*ahead_)->step);
    CHECK(back.ok()) << back;
    ahead_.reset();
  }
  loader_->Pause();
}

Batch LoaderSource::LabelsOf(const data::Batch& batch) const {
  const int64_t count = batch.labels.size();
  const bool mixed = batch.other_labels.data() != nullptr;
  const auto share_if_mixed = [&](auto* values, at::ScalarType dtype) {
    return mixed ? Share(batch, values, {count}, dtype) : at::Tensor();
  };
  return Batch{
      .images = {},
      .labels = Share(batch, batch.labels.data(), {count}, at::kLong),
      .other_labels = share_if_mixed(batch.other_labels.data(), at::kLong),
      .label_shares = share_if_mixed(batch.label_shares.data(), at::kFloat),
      .sample_ids = Share(batch, batch.sample_ids.data(), {count}, at::kLong),
      .global_count = batch.global_size,
      .loss_weight = static_cast<double>(world_size_) / batch.global_size,
  };
}

absl::StatusOr<LoaderSource::Ahead> LoaderSource::StartNext() {
  ASSIGN_OR_RETURN(const data::Batch batch, loader_->Next());
  const int64_t count = batch.labels.size();
  const at::Tensor bytes =
      Share(batch, batch.pixels, {count, batch.size, batch.size, 3}, at::kByte);
  return Ahead{.epoch = batch.epoch,
               .step = batch.step,
               .batch = LabelsOf(batch),
               .images = upload_->Start(bytes, batch.erased, batch.owner)};
}

absl::StatusOr<Batch> LoaderSource::Next() {
  if (upload_ == nullptr) {
    ASSIGN_OR_RETURN(const data::Batch batch, loader_->Next());
    const int64_t count = batch.labels.size();
    Batch whole = LabelsOf(batch);
    whole.images = Share(batch, batch.floats(), {count, 3, batch.size, batch.size}, at::kFloat);
    return whole;
  }
  absl::StatusOr<Ahead> now = ahead_.has_value() ? *std::exchange(ahead_, {}) : StartNext();
  if (loader_->IsReady(std::chrono::milliseconds(0))) ahead_ = StartNext();
  RETURN_IF_ERROR(now.status());
  now->batch.images = upload_->Finish(std::move(now->images));
  return std::move(now->batch);
}

std::vector<SkippedSample> LoaderSource::TakeSkippedSamples() {
  std::vector<SkippedSample> samples;
  if (loader_->skipped_count() == static_cast<int64_t>(taken_.size())) return samples;
  for (SkippedSample& sample : loader_->skipped_samples()) {
    if (taken_.insert(sample.id).second) samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace distributed
