#include "data/loader/test_batches.h"

#include <utility>

#include "data/codec/test_images.h"
#include "data/pixels/augmentation.h"
#include "gtest/gtest.h"

namespace data {

MemoryDataset SmallImages(int count, const std::vector<int>& bad) {
  std::vector<Bytes> jpegs;
  for (int i = 0; i < count; ++i) jpegs.push_back(MakeJpeg(32, 32, i));
  for (const int i : bad) jpegs[i].resize(jpegs[i].size() / 2);
  return JpegDataset(std::move(jpegs));
}

LoaderOptions TrainOptions(int64_t global_batch) {
  LoaderOptions options;
  options.global_batch = global_batch;
  options.seed = 7;
  options.augmentation = CifarTrain();
  options.augmentation.cutout = 8;
  return options;
}

void Append(const Batch& batch, Content& content) {
  content.ids.insert(content.ids.end(), batch.sample_ids.begin(), batch.sample_ids.end());
  content.labels.insert(content.labels.end(), batch.labels.begin(), batch.labels.end());
  content.other_labels.insert(content.other_labels.end(), batch.other_labels.begin(),
                              batch.other_labels.end());
  content.label_shares.insert(content.label_shares.end(), batch.label_shares.begin(),
                              batch.label_shares.end());
  content.pixels.insert(content.pixels.end(), batch.floats(),
                        batch.floats() + batch.labels.size() * 3 * 32 * 32);
}

std::vector<Content> ReadBatches(const Dataset& dataset, LoaderOptions options, int ranks,
                                 int batches) {
  std::vector<Content> contents(batches);
  options.world_size = ranks;
  for (options.rank = 0; options.rank < ranks; ++options.rank) {
    const auto loader = Loader::Create(dataset, options);
    EXPECT_TRUE(loader.ok()) << loader.status();
    for (Content& content : contents) {
      const auto batch = (*loader)->Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      Append(*batch, content);
    }
  }
  return contents;
}

}  // namespace data
