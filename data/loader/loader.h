// Batches of decoded, augmented images, made by threads ahead of their use.
//
//   LoaderOptions options;
//   options.global_batch = 256;
//   options.rank = rank, options.world_size = ranks;
//   options.augmentation = CifarTrain();
//   ASSIGN_OR_RETURN(auto loader, Loader::Create(dataset, options));
//   for (int64_t step = 0; step < loader->steps_per_epoch(); ++step) {
//     ASSIGN_OR_RETURN(Batch batch, loader->Next());
//     // batch.pixels: float32 [batch.labels.size(), 3, 32, 32]
//   }
//
// Of a dataset that is read from a server, the samples of the batches made ahead are read by
// threads of their own, Dataset::read_depth() of them; `threads`, or those of `pool`, decode.
//
// (seed, epoch, sample) alone decides order and augmentation, of mixed images those of the pair. So
// the global batches are the same on any number of ranks and threads, and after a Seek.
#ifndef DATA_LOADER_LOADER_H_
#define DATA_LOADER_LOADER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/codec/jpeg_device.h"
#include "data/loader/decode_pool.h"
#include "data/loader/field_column.h"
#include "data/loader/sampler.h"
#include "data/loader/skipped_sample.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/mixing.h"
#include "data/pixels/pixel_region.h"
#include "data/pixels/pixel_writer.h"
#include "data/sources/dataset.h"

namespace data {

struct LoaderOptions {
  // The samples of an epoch, as indices into the dataset; empty: all.
  std::vector<int64_t> samples;
  int64_t global_batch = 1;  // samples of a step on all ranks together
  int rank = 0;
  int world_size = 1;
  uint64_t seed = 0;
  Order order = Order::kShuffled;
  // Whether an epoch leaves out its last samples if they are less than a global batch. Evaluation
  // keeps them: a rank's share of that batch is smaller, and may be empty.
  bool drop_last = true;
  Augmentation augmentation;
  // Instead of augmentation.size: the size from an epoch on; ascending, from epoch 0. Empty: always
  // that one.
  struct SizeFrom {
    int64_t epoch = 0;
    int size = 0;
  };
  std::vector<SizeFrom> sizes = {};
  // Instead of every sample once an epoch; not with kQuasiRandom. As many draws as samples.
  Sampling sampling = {};
  // Mixes the 2k-th image of a global batch with the next. Wants drop_last and a global_batch that
  // is a multiple of twice the ranks. A damaged image's companion stays as it is.
  Mixing mixing = {};
  PixelFormat format = PixelFormat::kFloat32Nchw;
  int threads = 1;
  // Threads shared with other loaders, in place of `threads` of its own.
  std::shared_ptr<DecodePool> pool = nullptr;
  int prefetch = 2;  // batches made ahead
  // Decodes JPEGs in the threads' place (ImageDecoder says which, and how pixels differ): the same
  // batches otherwise. Null: the threads do. An error of the device is one of Next.
  std::shared_ptr<JpegDevice> jpeg_device = nullptr;

  // What a damaged sample does. What is no damage, such as a file that cannot be read or an image
  // too small for the augmentation, is an error of Next in either case.
  enum class OnBadSample {
    kFail,  // Next returns the error, DataLoss, which names the sample
    kSkip,  // the batch comes without the sample; skipped_samples() lists it
  };
  OnBadSample on_bad_sample = OnBadSample::kFail;

  // Makes the memory of a batch's pixels: pinned memory, for instance. Null: ordinary memory.
  std::function<std::shared_ptr<uint8_t>(size_t bytes)> allocate;
};

// One rank's share of a global batch. All of its samples may have been skipped.
struct Batch {
  int64_t epoch = 0;
  int64_t step = 0;
  // labels.size() images of size x size pixels in the loader's format, the caller's to change.
  uint8_t* pixels = nullptr;
  int size = 0;
  absl::Span<const int64_t> labels;
  // With LoaderOptions::mixing: what else an image shows, and the share of what `labels` says. Else
  // empty.
  absl::Span<const int64_t> other_labels;
  absl::Span<const float> label_shares;
  // What cutout has set to zero of each image: as uint8 the mean rounded, which a normalization
  // does not take back to zero. Empty with LoaderOptions::mixing.
  absl::Span<const Rect> erased;
  absl::Span<const int64_t> sample_ids;  // indices into the dataset
  absl::Span<const FieldColumn> fields;  // of Dataset::fields(), in their order
  // Samples of the global batch on all ranks, counting skipped ones, of which a rank knows its own
  // alone.
  int64_t global_size = 0;
  int64_t skipped = 0;  // of this rank's share
  // Keeps all of the above alive. The loader takes the memory back when the last copy is gone.
  std::shared_ptr<const void> owner;

  float* floats() const { return reinterpret_cast<float*>(pixels); }
};

// One thread uses a Loader. It may be destroyed while batches live on.
class Loader {
 public:
  // `dataset` must outlive the loader, which starts to make batches when they are first asked for.
  // InvalidArgument, naming the option, if the options make no sense, or if an epoch would have no
  // batch.
  static absl::StatusOr<std::unique_ptr<Loader>> Create(const Dataset& dataset,
                                                        LoaderOptions options);
  ~Loader();

  int64_t steps_per_epoch() const;

  // The next batch comes from this place. Costs nothing where the loader already is; otherwise
  // about an epoch's shuffle, far below a second. InvalidArgument if there is no such step.
  absl::Status Seek(int64_t epoch, int64_t step);

  // Whether Next would return at once; waits for that, but no longer than `patience`.
  bool IsReady(std::chrono::milliseconds patience);

  // Gives up threads and memory until the next call that wants batches, which come as if nothing
  // had been, but later.
  void Pause();

  // The next batch; the epochs follow each other. With an error the loader has moved on to the next
  // step, and may be used further.
  absl::StatusOr<Batch> Next();

  // How many samples were skipped so far, in batches that Next has returned: each once, however
  // often it came up. They are this rank's: those of all ranks differ, as their shares do.
  int64_t skipped_count() const;

  // These samples, by id.
  std::vector<SkippedSample> skipped_samples() const;

 private:
  class Impl;
  explicit Loader(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace data

#endif  // DATA_LOADER_LOADER_H_
