// data::Loader as the source of a Trainer's batches.
#ifndef DISTRIBUTED_TRAINING_LOADER_SOURCE_H_
#define DISTRIBUTED_TRAINING_LOADER_SOURCE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/loader/loader.h"
#include "data/sources/dataset.h"
#include "distributed/training/batch_source.h"

namespace distributed {

class LoaderSource : public BatchSource {
 public:
  // A loader with `options`, whose format is kFloat32Nchw; `dataset` outlives it. Errors as from
  // Loader::Create.
  static absl::StatusOr<std::unique_ptr<LoaderSource>> Create(const data::Dataset& dataset,
                                                              const data::LoaderOptions& options);

  int64_t steps_per_epoch() const override { return loader_->steps_per_epoch(); }
  absl::Status Seek(int64_t epoch, int64_t step) override { return loader_->Seek(epoch, step); }

  bool IsReady(std::chrono::milliseconds patience) override { return loader_->IsReady(patience); }

  void Pause() override { loader_->Pause(); }

  // The tensors are the loader's memory, which returns to it with the last of them.
  absl::StatusOr<Batch> Next() override;

  std::vector<SkippedSample> TakeSkippedSamples() override;

 private:
  LoaderSource(std::unique_ptr<data::Loader> loader, int world_size)
      : loader_(std::move(loader)), world_size_(world_size) {}

  const std::unique_ptr<data::Loader> loader_;
  const int world_size_;
  std::set<int64_t> taken_;  // Bad samples, by id.
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_LOADER_SOURCE_H_
