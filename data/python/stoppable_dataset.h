// A dataset whose readers can be stopped from outside.
#ifndef DATA_PYTHON_STOPPABLE_DATASET_H_
#define DATA_PYTHON_STOPPABLE_DATASET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/sources/dataset.h"

namespace data {

// `inner` as it is, until stop() is set: from then on each Read is Cancelled.
class StoppableDataset : public Dataset {
 public:
  explicit StoppableDataset(std::unique_ptr<Dataset> inner) : inner_(std::move(inner)) {
    left_alone_ = inner_->left_alone();
    fields_ = inner_->fields();
  }

  std::atomic<bool>& stop() { return stop_; }

  int64_t size() const override { return inner_->size(); }
  const std::vector<std::string>& class_names() const override { return inner_->class_names(); }
  int64_t label(int64_t index) const override { return inner_->label(index); }
  std::string name(int64_t index) const override { return inner_->name(index); }
  void WillRead(int64_t first, int64_t last) const override { inner_->WillRead(first, last); }
  void Forget() const override { inner_->Forget(); }
  int read_depth() const override { return inner_->read_depth(); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return inner_->Fingerprint(); }

  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override {
    if (stop_) return absl::CancelledError("stopped");
    return inner_->Read(index, buffer);
  }

 private:
  const std::unique_ptr<Dataset> inner_;
  std::atomic<bool> stop_ = false;
};

}  // namespace data

#endif  // DATA_PYTHON_STOPPABLE_DATASET_H_
