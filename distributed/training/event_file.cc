#include "distributed/training/event_file.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"
#include "protozero/pbf_writer.hpp"

namespace distributed {
namespace {

using protozero::pbf_writer;

// Field numbers of event.proto and summary.proto.
namespace field {
constexpr int kEventTime = 1, kEventStep = 2, kEventVersion = 3, kEventSummary = 5;
constexpr int kEventSession = 7, kSessionStatus = 1;
constexpr int kSummaryValue = 1, kValueTag = 1, kValueScalar = 2, kValueImage = 4;
constexpr int kValueHistogram = 5;
constexpr int kImageHeight = 1, kImageWidth = 2, kImageColors = 3, kImageBytes = 4;
constexpr int kHistogramMin = 1, kHistogramMax = 2, kHistogramCount = 3, kHistogramSum = 4;
constexpr int kHistogramSquares = 5, kHistogramLimits = 6, kHistogramBuckets = 7;
}  // namespace field

constexpr int kSessionStart = 1;  // SessionLog.SessionStatus
constexpr int kRgb = 3;           // Summary.Image.colorspace

// The event without what it says.
std::string Event(int64_t global_step) {
  std::string event;
  pbf_writer writer(event);
  writer.add_double(field::kEventTime, absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));
  writer.add_int64(field::kEventStep, global_step);
  return event;
}

// The finite numbers in `json`, as deep as its lists nest.
void Collect(const nlohmann::json& json, std::vector<double>* numbers) {
  if (json.is_array()) {
    for (const nlohmann::json& entry : json) Collect(entry, numbers);
  } else if (json.is_number() && std::isfinite(json.get<double>())) {
    numbers->push_back(json.get<double>());
  }
}

void PutHistogram(pbf_writer& value, const std::vector<double>& numbers) {
  constexpr int kBuckets = 30;
  const auto [min, max] = std::minmax_element(numbers.begin(), numbers.end());
  std::vector<double> limits, counts(kBuckets);
  for (int i = 1; i < kBuckets; ++i) limits.push_back(*min + (*max - *min) * i / kBuckets);
  limits.push_back(*max);
  double sum = 0, squares = 0;
  for (const double number : numbers) {
    sum += number;
    squares += number * number;
    // A bucket has its limit.
    ++counts[std::lower_bound(limits.begin(), limits.end() - 1, number) - limits.begin()];
  }
  pbf_writer histogram(value, field::kValueHistogram);
  histogram.add_double(field::kHistogramMin, *min);
  histogram.add_double(field::kHistogramMax, *max);
  histogram.add_double(field::kHistogramCount, static_cast<double>(numbers.size()));
  histogram.add_double(field::kHistogramSum, sum);
  histogram.add_double(field::kHistogramSquares, squares);
  histogram.add_packed_double(field::kHistogramLimits, limits.begin(), limits.end());
  histogram.add_packed_double(field::kHistogramBuckets, counts.begin(), counts.end());
}

void PutMetrics(pbf_writer& summary, const std::string& tag, const nlohmann::json& json) {
  if (json.is_object()) {
    for (const auto& [name, entry] : json.items()) {
      PutMetrics(summary, absl::StrCat(tag, "/", name), entry);
    }
    return;
  }
  std::vector<double> numbers;
  Collect(json, &numbers);
  if (numbers.empty()) return;
  pbf_writer value(summary, field::kSummaryValue);
  value.add_string(field::kValueTag, tag);
  if (json.is_array()) {
    PutHistogram(value, numbers);
  } else {
    value.add_float(field::kValueScalar, static_cast<float>(numbers[0]));
  }
}

// As TFRecord wants them: a checksum of data that holds checksums would else be of little worth.
std::string MaskedChecksum(absl::string_view bytes) {
  const uint32_t crc = base::Crc32c(bytes);
  const uint32_t masked = (crc >> 15 | crc << 17) + 0xA282EAD8;
  return std::string(reinterpret_cast<const char*>(&masked), sizeof(masked));
}

absl::Status RemoveEarlier(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> earlier;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (absl::StartsWith(it->path().filename().string(), EventFile::kPrefix)) {
      earlier.push_back(it->path());
    }
  }
  for (const fs::path& path : earlier) fs::remove(path, error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventFile>> EventFile::Create(const std::string& folder,
                                                             int64_t global_step) {
  if (global_step == 0) RETURN_IF_ERROR(RemoveEarlier(folder));
  // Readers take files in the order of their names.
  char host[256] = "host";
  gethostname(host, sizeof(host) - 1);
  const std::string path = absl::StrFormat("%s/%s%016d.%s.%d", folder, kPrefix,
                                           absl::ToUnixMicros(absl::Now()), host, getpid());
  File file(fopen(path.c_str(), "we"), &fclose);
  if (file == nullptr) return base::ErrnoError("open", path);
  auto events = absl::WrapUnique(new EventFile(path, std::move(file)));

  std::string version = Event(0);
  pbf_writer(version).add_string(field::kEventVersion, "brain.Event:2");
  RETURN_IF_ERROR(events->Write(version));
  // "From this step on, what came before is void."
  std::string start = Event(global_step + 1);
  {
    pbf_writer writer(start);
    pbf_writer session(writer, field::kEventSession);
    session.add_enum(field::kSessionStatus, kSessionStart);
  }
  if (global_step > 0) RETURN_IF_ERROR(events->Write(start));
  return events;
}

absl::Status EventFile::AddMetrics(const std::string& kind, int64_t global_step,
                                   const nlohmann::json& metrics) {
  std::string event = Event(global_step);
  {
    pbf_writer writer(event);
    pbf_writer summary(writer, field::kEventSummary);
    PutMetrics(summary, kind, metrics);
  }
  return Write(event);
}

absl::Status EventFile::AddPictures(int64_t global_step,
                                    const std::map<std::string, base::Picture>& pictures) {
  std::string event = Event(global_step);
  {
    pbf_writer writer(event);
    pbf_writer summary(writer, field::kEventSummary);
    for (const auto& [tag, picture] : pictures) {
      ASSIGN_OR_RETURN(const std::string png, picture.Png());
      pbf_writer value(summary, field::kSummaryValue);
      value.add_string(field::kValueTag, tag);
      pbf_writer image(value, field::kValueImage);
      image.add_int32(field::kImageHeight, picture.height());
      image.add_int32(field::kImageWidth, picture.width());
      image.add_int32(field::kImageColors, kRgb);
      image.add_bytes(field::kImageBytes, png);
    }
  }
  return Write(event);
}

absl::Status EventFile::Write(const std::string& event) {
  const uint64_t size = event.size();
  const std::string length(reinterpret_cast<const char*>(&size), sizeof(size));
  const std::string record =
      absl::StrCat(length, MaskedChecksum(length), event, MaskedChecksum(event));
  if (fwrite(record.data(), 1, record.size(), file_.get()) != record.size() ||
      fflush(file_.get()) != 0) {
    return base::ErrnoError("write", path_);
  }
  return absl::OkStatus();
}

}  // namespace distributed
