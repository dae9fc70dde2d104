#include "data/python/loader_door.h"

#include <unistd.h>

#include <numeric>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/loader/open_dataset.h"
#include "data/loader/sampler.h"
#include "data/python/errors.h"
#include "data/python/interruptible.h"

namespace nb = nanobind;

namespace data {

LoaderDoor::LoaderDoor(const std::string& path, const std::string& kind, bool allow_empty_classes,
                       const FieldChoice& fields, LoaderOptions options, bool class_balanced,
                       Axes axes, Library library)
    : process_(getpid()), layout_{options.format, axes}, library_(library) {
  const auto open = [&]() -> absl::Status {
    const nb::gil_scoped_release release;
    ASSIGN_OR_RETURN(
        dataset_,
        OpenDataset(path, kind, {.allow_empty_classes = allow_empty_classes, .fields = fields}));
    if (class_balanced) {
      if (options.samples.empty()) {
        options.samples.resize(dataset_->size());
        std::iota(options.samples.begin(), options.samples.end(), 0);
      }
      options.sampling = ClassBalanced(options.samples, Labels(*dataset_));
    }
    ASSIGN_OR_RETURN(loader_, Loader::Create(*dataset_, std::move(options)));
    steps_per_epoch_ = loader_->steps_per_epoch();
    return absl::OkStatus();
  };
  RaiseIfError(open());
}

LoaderDoor::~LoaderDoor() {
  if (process_ != getpid()) {
    // Its threads do not exist here, and its locks are as they were.
    (void)loader_.release();
    (void)dataset_.release();
    return;
  }
  const nb::gil_scoped_release release;
  loader_.reset();
}

void LoaderDoor::Check() const {
  if (process_ != getpid()) {
    PyErr_SetString(PyExc_RuntimeError,
                    absl::StrCat("this Loader was made by process ", process_,
                                 " and its threads live there; process ", getpid(),
                                 " was forked off and needs a Loader of its own")
                        .c_str());
    throw nb::python_error();
  }
}

void LoaderDoor::Seek(int64_t epoch, int64_t step) {
  Check();
  absl::Status status = absl::InvalidArgumentError("the Loader is closed");
  {
    const nb::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    if (loader_ != nullptr) status = loader_->Seek(epoch, step);
    if (status.ok()) epoch_ = epoch, step_ = step;
  }
  RaiseIfError(status);
}

nb::tuple LoaderDoor::Next() {
  Check();
  while (true) {
    std::optional<absl::StatusOr<Batch>> batch;
    {
      const nb::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      if (loader_ == nullptr) {
        batch = absl::InvalidArgumentError("the Loader is closed");
      } else if (loader_->IsReady(kSignalPatience)) {
        batch = loader_->Next();
        const bool last = step_ + 1 == steps_per_epoch_;
        epoch_ += last ? 1 : 0;
        step_ = last ? 0 : step_ + 1;
      }
    }
    if (batch)
      return BatchArrays(ValueOrRaise(*std::move(batch)), layout_, library_, dataset_->fields());
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  }
}

std::vector<SkippedSample> LoaderDoor::SkippedSamples() {
  Check();
  const nb::gil_scoped_release release;
  const std::lock_guard lock(mutex_);
  return loader_ != nullptr ? loader_->skipped_samples() : std::vector<SkippedSample>();
}

void LoaderDoor::Close() {
  if (process_ != getpid()) return;
  const nb::gil_scoped_release release;
  const std::lock_guard lock(mutex_);
  loader_.reset();
}

}  // namespace data
