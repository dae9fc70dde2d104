#include "data/shard/packer.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
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
#include "data/io/little_endian.h"
#include "data/io/sample_content.h"
#include "data/io/sample_field.h"
#include "data/io/scratch_buffer.h"
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
constexpr int kPackerVersion = 3;

// Of all but the samples' bytes.
std::string Description(const Dataset& dataset, const PackOptions& options) {
  const SamplePackOptions& sample = options.sample;
  std::string text =
      absl::StrCat(kPackerVersion, " ", sample.max_side, " ", sample.quality, " ",
                   sample.raw_fraction, " ", sample.apply_orientation, " ", sample.keep_jpeg, " ",
                   options.samples_per_shard, " ", options.shuffle, " ", options.skip_bad_samples);
  if (!dataset.fields().empty()) {
    absl::StrAppend(&text, "\n", DescribeFields(dataset.fields()));
  }
  for (const std::string& name : dataset.class_names()) absl::StrAppend(&text, "\n", name);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    absl::StrAppend(&text, "\n", dataset.label(i), " ", dataset.name(i));
  }
  return text;
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
        description_(ShardChecksum(Description(dataset, options))),
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
    manifest.fields = dataset_.fields();
    const int64_t size = dataset_.size();
    std::vector<bool> found(manifest.class_names.size());
    for (int64_t first = 0; first < size; first += options_.samples_per_shard) {
      const std::string file = absl::StrFormat("%05d.shard", manifest.shards.size());
      const std::string path = absl::StrCat(folder_, "/", file);
      ASSIGN_OR_RETURN(const ShardReader shard,
                       PackShard(path, first, std::min(size, first + options_.samples_per_shard)));
      manifest.shards.push_back({file, shard.size(), shard.header().index_checksum});
      Report(shard, found);
    }
    if (report_.samples == 0) return AllBad(manifest);
    for (size_t i = 0; i < found.size(); ++i) {
      if (!found[i]) report_.empty_classes.push_back(manifest.class_names[i]);
    }
    RETURN_IF_ERROR(WriteShardManifest(folder_, manifest));
    return report_;
  }

 private:
  // Makes sure that the shard of order_[first, last) exists.
  absl::StatusOr<ShardReader> PackShard(const std::string& path, int64_t first, int64_t last) {
    auto shard = ShardReader::Open(path);
    if (shard.ok()) {
      ASSIGN_OR_RETURN(const std::vector<uint64_t> contents, ReadContents(first, last));
      if (shard->header().fingerprint != Fingerprint(contents)) {
        return absl::FailedPreconditionError(
            absl::StrCat(path,
                         ": belongs to another input, to images that have changed since, or to "
                         "other options; pack into an empty folder"));
      }
      ++report_.kept_shards;
    } else {
      RETURN_IF_ERROR(WriteShard(path, first, last));
      shard = ShardReader::Open(path);
    }
    if (options_.progress) options_.progress(last, dataset_.size());
    return shard;
  }

  void Report(const ShardReader& shard, std::vector<bool>& classes) {
    ++report_.shards;
    report_.samples += shard.size();
    report_.bytes += shard.header().file_size;
    for (int64_t i = 0; i < shard.size(); ++i) classes[shard.record(i).label] = true;
    auto rejected = shard.Rejected();
    std::move(rejected.begin(), rejected.end(), std::back_inserter(report_.rejected));
  }

  // Shards without a sample are of no use to anyone.
  absl::Status AllBad(const ShardManifest& manifest) const {
    std::error_code ignored;
    for (const ShardManifest::Shard& shard : manifest.shards) {
      fs::remove(fs::path(folder_) / shard.file, ignored);
    }
    return absl::DataLossError(
        absl::StrCat("all ", report_.rejected.size(),
                     " samples are bad; the first: ", report_.rejected.front().second));
  }

  // Of a shard made from samples of these contents.
  uint64_t Fingerprint(const std::vector<uint64_t>& contents) const {
    std::string text;
    AppendLittle(text, description_);
    for (const uint64_t content : contents) AppendLittle(text, content);
    return ShardChecksum(text);
  }

  absl::Status WriteShard(const std::string& path, int64_t first, int64_t last) {
    ASSIGN_OR_RETURN(auto writer, ShardWriter::Create(path));
    const int64_t at_once = kSamplesPerWorker * options_.workers;
    std::vector<uint64_t> contents(last - first);
    for (int64_t begin = first; begin < last; begin += at_once) {
      const int64_t end = std::min(last, begin + at_once);
      const auto packed = PackSamples(begin, end, &contents[begin - first]);
      for (int64_t i = begin; i < end; ++i) {
        const auto& sample = packed[i - begin];
        const std::string name = dataset_.name(order_[i]);
        if (sample.ok()) {
          RETURN_IF_ERROR(writer->Add(sample->view(), dataset_.label(order_[i]), name));
        } else if (options_.skip_bad_samples && absl::IsDataLoss(sample.status())) {
          writer->AddRejected(name, sample.status().message());
        } else {
          return sample.status();
        }
      }
      if (options_.progress) options_.progress(end, dataset_.size());
    }
    return writer->Finish(Fingerprint(contents));
  }

  // Has all workers call `work(worker, i)` for i in [begin, end).
  template <typename Work>
  void ForEach(int64_t begin, int64_t end, const Work& work) {
    std::atomic<int64_t> next = begin;
    std::vector<std::thread> threads;
    for (size_t worker = 0; worker < packers_.size(); ++worker) {
      threads.emplace_back([&, worker] {
        for (int64_t i = next++; i < end; i = next++) work(worker, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // Packs order_[begin, end); `contents` are those of what went in.
  std::vector<absl::StatusOr<PackedSample>> PackSamples(int64_t begin, int64_t end,
                                                        uint64_t* contents) {
    std::vector<absl::StatusOr<PackedSample>> packed(end - begin);
    ForEach(begin, end, [&](size_t worker, int64_t i) {
      packed[i - begin] = packers_[worker]->Pack(dataset_, order_[i], contents[i - begin]);
    });
    return packed;
  }

  // The same of order_[first, last), without packing.
  absl::StatusOr<std::vector<uint64_t>> ReadContents(int64_t first, int64_t last) {
    std::vector<absl::StatusOr<uint64_t>> read(last - first);
    std::vector<ScratchBuffer> buffers(packers_.size());
    ForEach(first, last, [&](size_t worker, int64_t i) {
      const auto sample = dataset_.Read(order_[i], buffers[worker]);
      absl::StatusOr<uint64_t>& content = read[i - first];
      if (sample.ok()) {
        content = SampleContent(*sample);
      } else if (absl::IsDataLoss(sample.status())) {
        content = uint64_t{0};
      } else {
        content = sample.status();
      }
    });
    std::vector<uint64_t> contents;
    for (const absl::StatusOr<uint64_t>& content : read) {
      RETURN_IF_ERROR(content.status());
      contents.push_back(*content);
    }
    return contents;
  }

  const Dataset& dataset_;
  const std::string folder_;
  const PackOptions& options_;
  const uint64_t description_;
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
