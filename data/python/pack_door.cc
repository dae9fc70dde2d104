#include "data/python/pack_door.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "data/loader/open_dataset.h"
#include "data/python/errors.h"
#include "data/python/interruptible.h"

namespace nb = nanobind;

namespace data {

std::unique_ptr<StoppableDataset> OpenForReading(const std::string& path, const std::string& kind,
                                                 bool allow_empty_classes,
                                                 const FieldChoice& fields) {
  absl::StatusOr<std::unique_ptr<Dataset>> dataset;
  {
    const nb::gil_scoped_release release;
    dataset =
        OpenDataset(path, kind, {.allow_empty_classes = allow_empty_classes, .fields = fields});
  }
  return std::make_unique<StoppableDataset>(ValueOrRaise(std::move(dataset)));
}

PackReport PackInterruptibly(StoppableDataset& dataset, const std::string& folder,
                             PackOptions options, const nb::object& progress) {
  std::atomic<int64_t> done = 0;
  options.progress = [&done](int64_t now, int64_t) { done = now; };
  std::optional<absl::StatusOr<PackReport>> report;
  RunInterruptibly([&] { report = Pack(dataset, folder, options); },
                   [&] {
                     if (!progress.is_none()) progress(done.load(), dataset.size());
                   },
                   dataset.stop());
  return ValueOrRaise(*std::move(report));
}

DatasetSummary SummarizeInterruptibly(StoppableDataset& dataset, bool decode, int threads) {
  std::optional<absl::StatusOr<DatasetSummary>> summary;
  RunInterruptibly([&] { summary = Summarize(dataset, decode, threads); }, [] {}, dataset.stop());
  return ValueOrRaise(*std::move(summary));
}

}  // namespace data
