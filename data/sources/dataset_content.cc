#include "data/sources/dataset_content.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/io/scratch_buffer.h"

namespace data {
namespace {

uint64_t Hash(const void* bytes, size_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, size, seed);
}

absl::StatusOr<uint64_t> ContentOf(const Dataset& dataset, int64_t index, ScratchBuffer& buffer) {
  if (const auto known = dataset.KnownContent(index); known.has_value()) return *known;
  const auto sample = dataset.Read(index, buffer);
  if (sample.ok()) return SampleContent(*sample);
  if (absl::IsDataLoss(sample.status())) return uint64_t{0};
  return sample.status();
}

}  // namespace

uint64_t SampleContent(const EncodedSample& sample) {
  const uint64_t size = uint64_t(sample.width) << 32 | uint64_t(sample.height);
  const uint64_t hash =
      Hash(sample.bytes.data(), sample.bytes.size(), size ^ uint64_t(sample.encoding) << 62);
  return std::max<uint64_t>(hash, 1);
}

absl::StatusOr<uint64_t> DatasetContent(const Dataset& dataset, int threads) {
  std::vector<uint64_t> contents(dataset.size());
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  absl::Status error;  // of the first sample that has one
  int64_t error_index = dataset.size();
  const auto run = [&] {
    ScratchBuffer buffer;
    for (int64_t i = next++; i < dataset.size(); i = next++) {
      const auto content = ContentOf(dataset, i, buffer);
      if (content.ok()) {
        contents[i] = *content;
        continue;
      }
      const std::lock_guard lock(mutex);
      if (i < error_index) error = content.status(), error_index = i;
      next = dataset.size();
    }
  };
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back(run);
  for (std::thread& thread : running) thread.join();
  if (!error.ok()) return error;

  std::string names;
  for (const std::string& name : dataset.class_names()) absl::StrAppend(&names, name, "\n");
  const std::vector<int64_t> labels = Labels(dataset);
  uint64_t hash = Hash(names.data(), names.size(), 0);
  hash = Hash(labels.data(), labels.size() * sizeof(labels[0]), hash);
  return Hash(contents.data(), contents.size() * sizeof(contents[0]), hash);
}

}  // namespace data
