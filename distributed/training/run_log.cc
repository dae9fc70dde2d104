#include "distributed/training/run_log.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"

namespace distributed {
namespace {

constexpr char kMetricsFile[] = "metrics.jsonl";
constexpr char kLogFile[] = "log.txt";
constexpr char kBadSamplesFile[] = "bad_samples.jsonl";

// What comes from outside, as a file's name, need not be UTF-8.
std::string Text(const nlohmann::json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                   nlohmann::json::error_handler_t::replace);
}

std::string Lines(const nlohmann::json& list) {
  std::string lines;
  for (const nlohmann::json& entry : list) absl::StrAppend(&lines, Text(entry), "\n");
  return lines;
}

absl::Status DropLaterLines(const std::string& path, int64_t global_step) {
  const absl::StatusOr<std::string> text = base::ReadFile(path);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  RETURN_IF_ERROR(text.status());
  std::string kept;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const nlohmann::json json = nlohmann::json::parse(line.begin(), line.end(), nullptr,
                                                      /*allow_exceptions=*/false);
    if (json.is_object() && json.value("global_step", global_step + 1) <= global_step) {
      absl::StrAppend(&kept, line, "\n");
    }
  }
  return kept == *text ? absl::OkStatus() : base::WriteFileAtomically(path, kept);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunLog>> RunLog::Open(const TrainerOptions& options,
                                                     int64_t global_step,
                                                     const nlohmann::json& bad_samples) {
  const std::string& folder = options.run_folder;
  RETURN_IF_ERROR(base::MakeFolder(folder));
  const std::string bad_path = absl::StrCat(folder, "/", kBadSamplesFile);
  if (!bad_samples.empty() || access(bad_path.c_str(), F_OK) == 0) {
    RETURN_IF_ERROR(base::WriteFileAtomically(bad_path, Lines(bad_samples)));
  }
  const std::string metrics_path = absl::StrCat(folder, "/", kMetricsFile);
  const std::string log_path = absl::StrCat(folder, "/", kLogFile);
  // A run from the beginning keeps nothing, not even the line of its start.
  RETURN_IF_ERROR(DropLaterLines(metrics_path, global_step == 0 ? -1 : global_step));
  File metrics(fopen(metrics_path.c_str(), "ae"), &fclose);
  if (metrics == nullptr) return base::ErrnoError("open", metrics_path);
  File log(fopen(log_path.c_str(), "ae"), &fclose);
  if (log == nullptr) return base::ErrnoError("open", log_path);
  std::unique_ptr<EventFile> events;
  if (options.tensorboard) {
    ASSIGN_OR_RETURN(events, EventFile::Create(folder, global_step));
  }
  return std::unique_ptr<RunLog>(
      new RunLog(options, std::move(metrics), std::move(log), std::move(events)));
}

RunLog::RunLog(const TrainerOptions& options, File metrics, File log,
               std::unique_ptr<EventFile> events)
    : folder_(options.run_folder),
      metrics_(std::move(metrics)),
      log_(std::move(log)),
      events_(std::move(events)),
      display_(options.show) {}

absl::Status RunLog::AddMetrics(const std::string& kind, int64_t epoch, int64_t global_step,
                                nlohmann::json metrics) {
  if (events_ != nullptr) {
    // The start is where the epochs' curves begin.
    RETURN_IF_ERROR(events_->AddMetrics(kind == "start" ? "epoch" : kind, global_step, metrics));
  }
  metrics["kind"] = kind;
  metrics["epoch"] = epoch;
  metrics["global_step"] = global_step;
  metrics["time"] = absl::ToUnixSeconds(absl::Now());
  return Append(metrics_, kMetricsFile, Text(metrics));
}

absl::Status RunLog::AddPictures(int64_t global_step,
                                 const std::map<std::string, base::Picture>& pictures) {
  if (events_ == nullptr || pictures.empty()) return absl::OkStatus();
  return events_->AddPictures(global_step, pictures);
}

absl::Status RunLog::AddBadSamples(const nlohmann::json& list) {
  const std::string path = absl::StrCat(folder_, "/", kBadSamplesFile);
  const File file(fopen(path.c_str(), "ae"), &fclose);
  if (file == nullptr) return base::ErrnoError("open", path);
  for (const nlohmann::json& entry : list) {
    RETURN_IF_ERROR(Append(file, kBadSamplesFile, Text(entry)));
  }
  return absl::OkStatus();
}

absl::Status RunLog::AddLine(absl::string_view line) {
  display_.ShowLine(line);
  return Append(log_, kLogFile, line);
}

absl::Status RunLog::AddReport(const Progress& progress) {
  display_.ShowReport(progress);
  return Append(log_, kLogFile, ProgressLine(progress));
}

absl::Status RunLog::AddEpoch(const EpochResult& result) {
  display_.ShowEpoch(result);
  if (result.evaluation.empty()) return absl::OkStatus();
  return Append(log_, kLogFile, EvaluationLine(result));
}

absl::Status RunLog::Append(const File& file, const char* name, absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  if (fwrite(text.data(), 1, text.size(), file.get()) != text.size() || fflush(file.get()) != 0) {
    return base::ErrnoError("write", absl::StrCat(folder_, "/", name));
  }
  return absl::OkStatus();
}

}  // namespace distributed
