// Packing and looking at a dataset as Python asks for it: without the GIL, with progress, and ended
// by Ctrl-C.
#ifndef DATA_PYTHON_PACK_DOOR_H_
#define DATA_PYTHON_PACK_DOOR_H_

#include <memory>
#include <string>

#include "data/io/sample_field.h"
#include "data/python/stoppable_dataset.h"
#include "data/shard/packer.h"
#include "data/sources/dataset_summary.h"
#include "nanobind/nanobind.h"

namespace data {

// OpenDataset without the GIL; raises its errors.
std::unique_ptr<StoppableDataset> OpenForReading(const std::string& path, const std::string& kind,
                                                 bool allow_empty_classes,
                                                 const FieldChoice& fields);

// Pack. `progress`, unless it is None, is called in this thread with (samples done, all), about ten
// times a second; what it raises stops the work. A folder that was stopped is completed next time.
PackReport PackInterruptibly(StoppableDataset& dataset, const std::string& folder,
                             PackOptions options, const nanobind::object& progress);

// Summarize.
DatasetSummary SummarizeInterruptibly(StoppableDataset& dataset, bool decode, int threads);

}  // namespace data

#endif  // DATA_PYTHON_PACK_DOOR_H_
