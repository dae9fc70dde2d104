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

absl::StatusOr<std::unique_ptr<LoaderSource>> LoaderSource::Create(
    const data::Dataset& dataset, const data::LoaderOptions& options) {
  CHECK(options.format == data::PixelFormat::kFloat32Nchw);
  ASSIGN_OR_RETURN(std::unique_ptr<data::Loader> loader, data::Loader::Create(dataset, options));
  return std::unique_ptr<LoaderSource>(new LoaderSource(std::move(loader), options.world_size));
}

absl::StatusOr<Batch> LoaderSource::Next() {
  ASSIGN_OR_RETURN(const data::Batch batch, loader_->Next());
  const int64_t count = batch.labels.size();
  const bool mixed = batch.other_labels.data() != nullptr;
  const auto share_if_mixed = [&](auto* values, at::ScalarType dtype) {
    return mixed ? Share(batch, values, {count}, dtype) : at::Tensor();
  };
  return Batch{
      .images = Share(batch, batch.floats(), {count, 3, batch.size, batch.size}, at::kFloat),
      .labels = Share(batch, batch.labels.data(), {count}, at::kLong),
      .other_labels = share_if_mixed(batch.other_labels.data(), at::kLong),
      .label_shares = share_if_mixed(batch.label_shares.data(), at::kFloat),
      .sample_ids = Share(batch, batch.sample_ids.data(), {count}, at::kLong),
      .global_count = batch.global_size,
      .loss_weight = static_cast<double>(world_size_) / batch.global_size,
  };
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
