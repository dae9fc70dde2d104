// Opens any dataset this package can read.
#ifndef DATA_LOADER_OPEN_DATASET_H_
#define DATA_LOADER_OPEN_DATASET_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/sources/dataset.h"

namespace data {

// `kind` is one of
//   shards  a folder that pack wrote
//   tar     an archive or a folder of archives (data/sources/tar_dataset.h)
//   cifar   CIFAR's binary batches, or one of them (data/sources/cifar_dataset.h)
//   idx     MNIST's files (data/sources/idx_dataset.h)
//   folder  an ImageFolder tree (data/sources/folder_dataset.h)
//   beton   FFCV's file (data/sources/beton_dataset.h)
//   auto    told by the files at `path`; shards, if that is a place of a server
// InvalidArgument, naming the path, for an unknown kind, where none or more than one is recognized,
// and for a field that its samples do not have. Of servers options.store's errors. The rules by which an input is judged are in
// docs/data.md.
absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path,
                                                     absl::string_view kind = "auto",
                                                     const OpenOptions& options = {});

}  // namespace data

#endif  // DATA_LOADER_OPEN_DATASET_H_
