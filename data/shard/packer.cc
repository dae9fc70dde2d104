#include "data/shard/packer.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/pixels/random.h"
#include "data/shard/shard_format.h"
#include "data/shard/shard_manifest.h"
#include "data/shard/shard_reader.h"
#include "data/shard/shard_writer.h"

namespace data {
namespace {

namespace fs = std::filesystem;

// Samples a worker packs between two writes.
constexpr int64_t kSamplesPerWorker = 32;

// Changes when the bytes that packing produces change.
constexpr int kPackerVersion = 2;

uint64_t Fingerprint(const Dataset& dataset, const PackOptions& options) {
  const SamplePackOptions& sample = options.sample;
  std::string text =
      absl::StrCat(kPackerVersion, " ", sample.max_side, " ", sample.quality, " ",
                   sample.raw_fraction, " ", sample.apply_orientation, " ", sample.keep_jpeg, " ",
                   options.samples_per_shard, " ", options.shuffle, " ", options.skip_bad_samples);
  for (const std::string& name : dataset.class_names()) absl::StrAppend(&text, "\n", name);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    absl::StrAppend(&text, "\n", dataset.label(i), " ", dataset.name(i));
  }
  return ShardChecksum(text);
}

// What writers that were killed have left.
void RemoveTemporaries(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (absl::StrContains(entry.path().filename().native(), ".shard.tmp.")) {
      fs::remove(entry.path(), ignored);
    }
  }
}

class Packer {
 public:
  Packer(const Dataset& dataset, const std::string& folder, const PackOptions& options)
      : dataset_(dataset),
        folder_(folder),
        options_(options),
        fingerprint_(Fingerprint(dataset, options)),
        order_(dataset.size()) {
    std::iota(order_.begin(), order_.end(), 0);
    Random random(/*seed=*/0);
    if (options.shuffle) Shuffle(order_, 0, order_.size(), random);
    for (int i = 0; i < options.workers; ++i) {
      packers_.push_back(std::make_unique<SamplePacker>(options.sample));
    }
  }

  absl::StatusOr<PackReport> Run() {
    RETURN_IF_ERROR(base::MakeFolder(folder_));
    RemoveTemporaries(folder_);
    ShardManifest manifest;
    manifest.class_names = dataset_.class_names();
    const int64_t size = dataset_.size();
    for (int64_t first = 0; first < size; first += options_.samples_per_shard) {
      const std::string file = absl::StrFormat("%05d.shard", manifest.shards.size());
      RETURN_IF_ERROR(PackShard(absl::StrCat(folder_, "/", file), first,
                                std::min(size, first + options_.samples_per_shard), manifest));
    }
    RETURN_IF_ERROR(WriteShardManifest(folder_, manifest));
    return report_;
  }

 private:
  // Makes sure that the shard of order_[first, last) exists, and adds it to the manifest.
  absl::Status PackShard(const std::string& path, int64_t first, int64_t last,
                         ShardManifest& manifest) {
    auto shard = ShardReader::Open(path);
    if (shard.ok() && shard->header().fingerprint != fingerprint_) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, ": belongs to another input or to other options; pack into an empty folder"));
    }
    if (shard.ok()) {
      ++report_.kept_shards;
    } else {
      RETURN_IF_ERROR(WriteShard(path, first, last));
      shard = ShardReader::Open(path);
      RETURN_IF_ERROR(shard.status());
    }
    manifest.shards.push_back(
        {fs::path(path).filename(), shard->size(), shard->header().index_checksum});
    ++report_.shards;
    report_.samples += shard->size();
    report_.rejected += last - first - shard->size();
    report_.bytes += shard->header().file_size;
    if (options_.progress) options_.progress(last, dataset_.size());
    return absl::OkStatus();
  }

  absl::Status WriteShard(const std::string& path, int64_t first, int64_t last) {
    ASSIGN_OR_RETURN(auto writer, ShardWriter::Create(path, fingerprint_));
    const int64_t at_once = kSamplesPerWorker * options_.workers;
    for (int64_t begin = first; begin < last; begin += at_once) {
      const int64_t end = std::min(last, begin + at_once);
      const auto packed = PackSamples(begin, end);
      for (int64_t i = begin; i < end; ++i) {
        const auto& sample = packed[i - begin];
        const std::string name = dataset_.name(order_[i]);
        if (sample.ok()) {
          RETURN_IF_ERROR(writer->Add(sample->view(), dataset_.label(order_[i]), name));
        } else if (options_.skip_bad_samples) {
          writer->AddRejected(name, sample.status().message());
        } else {
          return sample.status();
        }
      }
      if (options_.progress) options_.progress(end, dataset_.size());
    }
    return writer->Finish();
  }

  // Packs order_[begin, end) with all workers.
  std::vector<absl::StatusOr<PackedSample>> PackSamples(int64_t begin, int64_t end) {
    std::vector<absl::StatusOr<PackedSample>> packed(end - begin);
    std::atomic<int64_t> next = begin;
    std::vector<std::thread> threads;
    for (const auto& packer : packers_) {
      threads.emplace_back([&] {
        for (int64_t i = next++; i < end; i = next++) {
          packed[i - begin] = packer->Pack(dataset_, order_[i]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return packed;
  }

  const Dataset& dataset_;
  const std::string folder_;
  const PackOptions& options_;
  const uint64_t fingerprint_;
  std::vector<int64_t> order_;
  std::vector<std::unique_ptr<SamplePacker>> packers_;
  PackReport report_;
};

}  // namespace

absl::StatusOr<PackReport> Pack(const Dataset& dataset, const std::string& folder,
                                const PackOptions& options) {
  if (options.workers < 1 || options.samples_per_shard < 1) {
    return absl::InvalidArgumentError("pack: workers and samples per shard must be positive");
  }
  if (options.sample.quality < 1 || options.sample.quality > 100 || options.sample.max_side < 0 ||
      !(options.sample.raw_fraction >= 0 && options.sample.raw_fraction <= 1)) {
    return absl::InvalidArgumentError(
        "pack: quality is 1 to 100, the longest side not negative, the raw fraction 0 to 1");
  }
  if (dataset.size() == 0) return absl::InvalidArgumentError("pack: no images in the input");
  return Packer(dataset, folder, options).Run();
}

}  // namespace data
