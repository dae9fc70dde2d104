#include "data/sources/dataset_summary.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "data/codec/image_decoder.h"
#include "data/io/scratch_buffer.h"

namespace data {
namespace {

// One thread's share of the work.
class Summarizer {
 public:
  Summarizer(const Dataset& dataset, bool decode) : dataset_(dataset), decode_(decode) {}

  void Run(std::atomic<int64_t>& next) {
    for (int64_t i = next++; i < dataset_.size(); i = next++) {
      const absl::Status status = Add(i);
      if (status.ok()) continue;
      if (!absl::IsDataLoss(status)) {
        error_ = status;
        next = dataset_.size();
        return;
      }
      summary_.bad.push_back({i, dataset_.name(i), std::string(status.message())});
    }
  }

  const DatasetSummary& summary() const { return summary_; }
  const absl::Status& error() const { return error_; }

 private:
  absl::Status Add(int64_t index) {
    ASSIGN_OR_RETURN(EncodedSample sample, dataset_.Read(index, bytes_));
    RETURN_IF_ERROR(ImageDecoder::FindSize(sample));
    if (decode_) RETURN_IF_ERROR(decoder_.Decode(sample).status());
    summary_.bytes += sample.bytes.size();
    ++summary_.encoding_counts[static_cast<int>(sample.encoding)];
    const uint32_t side = std::max(sample.width, sample.height);
    ++summary_.side_counts[std::bit_width(side) - 1];
    return absl::OkStatus();
  }

  const Dataset& dataset_;
  const bool decode_;
  ScratchBuffer bytes_;
  ImageDecoder decoder_;
  DatasetSummary summary_;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<DatasetSummary> Summarize(const Dataset& dataset, bool decode, int threads) {
  std::vector<std::unique_ptr<Summarizer>> parts;
  std::vector<std::thread> running;
  std::atomic<int64_t> next = 0;
  for (int i = 0; i < threads; ++i) {
    parts.push_back(std::make_unique<Summarizer>(dataset, decode));
    running.emplace_back(&Summarizer::Run, parts.back().get(), std::ref(next));
  }
  for (std::thread& thread : running) thread.join();

  DatasetSummary total;
  total.class_counts.resize(dataset.class_names().size());
  for (int64_t i = 0; i < dataset.size(); ++i) ++total.class_counts[dataset.label(i)];
  for (const auto& part : parts) {
    RETURN_IF_ERROR(part->error());
    const DatasetSummary& summary = part->summary();
    total.bytes += summary.bytes;
    for (size_t i = 0; i < total.encoding_counts.size(); ++i) {
      total.encoding_counts[i] += summary.encoding_counts[i];
    }
    for (size_t i = 0; i < total.side_counts.size(); ++i) {
      total.side_counts[i] += summary.side_counts[i];
    }
    total.bad.insert(total.bad.end(), summary.bad.begin(), summary.bad.end());
  }
  std::sort(total.bad.begin(), total.bad.end(),
            [](const DamagedSample& a, const DamagedSample& b) { return a.index < b.index; });
  return total;
}

}  // namespace data
