// The loader as Python uses it: one that waits without the GIL, listens to signals and knows forks.
#ifndef DATA_PYTHON_LOADER_DOOR_H_
#define DATA_PYTHON_LOADER_DOOR_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/io/sample_field.h"
#include "data/loader/loader.h"
#include "data/python/batch_arrays.h"
#include "data/sources/dataset.h"
#include "nanobind/nanobind.h"

namespace data {

// All methods raise Python's exceptions and are called with the GIL held. One thread at a time is
// let in; others wait.
class LoaderDoor {
 public:
  // Opens the dataset, with `fields`. With `class_balanced` every class of options.samples comes up
  // equally often.
  LoaderDoor(const std::string& path, const std::string& kind, bool allow_empty_classes,
             const FieldChoice& fields, LoaderOptions options, bool class_balanced, Axes axes,
             Library library);

  // Stops the threads, unless this is a forked process, which has none.
  ~LoaderDoor();

  // RuntimeError in a process that was forked off from the one that made the loader, as from every
  // method that uses its threads.
  void Check() const;

  int64_t steps_per_epoch() const { return steps_per_epoch_; }

  // Of the batch that Next will return.
  int64_t epoch() const { return epoch_; }
  int64_t step() const { return step_; }
  void Seek(int64_t epoch, int64_t step);

  // BatchArrays of the next batch. With an error of that batch the loader has moved on to the one
  // behind it; KeyboardInterrupt, and what else a signal's handler raises, leaves it where it is.
  nanobind::tuple Next();

  std::vector<SkippedSample> SkippedSamples();

  // Stops the threads; batches live on. Further use raises ValueError.
  void Close();

  const Dataset& dataset() const { return *dataset_; }

 private:
  const pid_t process_;
  std::unique_ptr<const Dataset> dataset_;
  ImageLayout layout_;
  Library library_;
  std::mutex mutex_;  // Never locked with the GIL held.
  std::unique_ptr<Loader> loader_;
  int64_t steps_per_epoch_ = 0;
  std::atomic<int64_t> epoch_ = 0;
  std::atomic<int64_t> step_ = 0;
};

}  // namespace data

#endif  // DATA_PYTHON_LOADER_DOOR_H_
