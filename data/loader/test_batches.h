// Small data sets, and what loaders make of them, for tests.
#ifndef DATA_LOADER_TEST_BATCHES_H_
#define DATA_LOADER_TEST_BATCHES_H_

#include <cstdint>
#include <vector>

#include "data/loader/loader.h"
#include "data/sources/dataset.h"
#include "data/sources/test_datasets.h"

namespace data {

// `count` distinct 32x32 JPEGs; those in `bad` are cut short.
MemoryDataset SmallImages(int count, const std::vector<int>& bad = {});

// Batches of images of 32x32, with cutout, seed 7.
LoaderOptions TrainOptions(int64_t global_batch);

// What a global batch consists of, put together from the ranks' shares.
struct Content {
  std::vector<int64_t> ids;
  std::vector<int64_t> labels;
  std::vector<int64_t> other_labels;
  std::vector<float> label_shares;
  std::vector<float> pixels;
  bool operator==(const Content&) const = default;
};

// Adds a rank's share, of images of 32x32 in float32.
void Append(const Batch& batch, Content& content);

// The first global batches of that many ranks.
std::vector<Content> ReadBatches(const Dataset& dataset, LoaderOptions options, int ranks,
                                 int batches);

}  // namespace data

#endif  // DATA_LOADER_TEST_BATCHES_H_
