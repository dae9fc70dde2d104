#include "distributed/training/progress.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace distributed {
namespace {

// Of all metrics, those that people watch.
constexpr const char* kWatched[] = {"loss", "accuracy", "search_accuracy", "complexity"};

constexpr int kBarColumns = 20;

std::string Bar(double done) {
  const int full = static_cast<int>(std::lround(done * kBarColumns));
  return absl::StrCat(" [", std::string(full, '#'), std::string(kBarColumns - full, '.'), "]");
}

// Adds a column that is as wide as its name or eight characters.
void AddColumn(const std::string& name, const std::string& value, TableLine* line) {
  const int width = static_cast<int>(std::max<size_t>(name.size(), 8)) + 2;
  absl::StrAppendFormat(&line->header, "%*s", width, name);
  absl::StrAppendFormat(&line->row, "%*s", width, value);
}

void AddWatched(const std::string& prefix, const std::map<std::string, double>& means,
                TableLine* line) {
  for (const char* name : kWatched) {
    const auto mean = means.find(name);
    if (mean == means.end()) continue;
    AddColumn(absl::StrCat(prefix, name), absl::StrFormat("%.4f", mean->second), line);
  }
}

}  // namespace

std::string Position(const Progress& progress) {
  return absl::StrFormat("epoch %d/%d step %d/%d", progress.epoch, progress.epochs, progress.step,
                         progress.steps);
}

std::string ProgressLine(const Progress& progress) {
  std::string line = Position(progress);
  for (const auto& [name, mean] : progress.means) {
    absl::StrAppendFormat(&line, " %s %.4f", name, mean);
  }
  absl::StrAppendFormat(&line, " %.0f images/s ETA %s", progress.images_per_second,
                        absl::FormatDuration(absl::Trunc(progress.left, absl::Seconds(1))));
  return line;
}

std::string ProgressBar(const Progress& progress, int width) {
  const size_t columns = std::max(width, 0);
  const double done = static_cast<double>(progress.step) / static_cast<double>(progress.steps);
  const std::string position = absl::StrFormat("epoch %d/%d", progress.epoch, progress.epochs);
  std::string numbers = absl::StrFormat(" %3.0f%%", 100 * done);
  if (progress.images_per_second > 0) {
    absl::StrAppendFormat(&numbers, " %.0f images/s, %s left", progress.images_per_second,
                          ShortDuration(progress.left));
  }
  std::string line = absl::StrCat(position, Bar(done), numbers);
  if (line.size() > columns) return absl::StrCat(position, numbers).substr(0, columns);
  for (const char* name : kWatched) {
    const auto mean = progress.means.find(name);
    if (mean == progress.means.end()) continue;
    const std::string metric = absl::StrFormat(", %s %.3f", name, mean->second);
    if (line.size() + metric.size() > columns) break;
    line += metric;
  }
  return line;
}

std::string ShortDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "?";
  const int64_t seconds = absl::ToInt64Seconds(duration);
  const int64_t days = seconds / 86400, hours = seconds / 3600 % 24;
  const std::string rest = absl::StrFormat("%02d:%02d", seconds / 60 % 60, seconds % 60);
  return days > 0 ? absl::StrFormat("%d d %02d:%s", days, hours, rest)
                  : absl::StrFormat("%d:%s", hours, rest);
}

std::string EvaluationLine(const EpochResult& result) {
  std::string line = absl::StrFormat("evaluation after epoch %d/%d", result.epoch, result.epochs);
  for (const auto& [name, mean] : result.evaluation) {
    absl::StrAppendFormat(&line, " %s %.4f", name, mean);
  }
  if (result.judged < result.samples) {
    absl::StrAppendFormat(&line, " of %d of %d samples", result.judged, result.samples);
  }
  return line;
}

TableLine EpochTableLine(const EpochResult& result) {
  TableLine line;
  AddColumn("epoch", absl::StrFormat("%d/%d", result.epoch, result.epochs), &line);
  AddColumn("time", ShortDuration(result.took), &line);
  AddWatched("", result.means, &line);
  AddWatched("test ", result.evaluation, &line);
  return line;
}

}  // namespace distributed
