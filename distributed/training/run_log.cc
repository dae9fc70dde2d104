#include "distributed/training/run_log.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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

absl::StatusOr<std::unique_ptr<RunLog>> RunLog::Open(const std::string& folder, int64_t global_step,
                                                     const nlohmann::json& bad_samples) {
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
  return std::unique_ptr<RunLog>(new RunLog(folder, std::move(metrics), std::move(log)));
}

RunLog::RunLog(std::string folder, File metrics, File log)
    : folder_(std::move(folder)),
      metrics_(std::move(metrics)),
      log_(std::move(log)),
      // mpirun makes standard output a pseudo-terminal, but not standard error.
      on_terminal_(isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1) {}

absl::Status RunLog::AddMetrics(const nlohmann::json& line) {
  return Append(metrics_, kMetricsFile, Text(line));
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
  if (std::exchange(progress_shown_, false)) putchar('\n');
  printf("%.*s\n", static_cast<int>(line.size()), line.data());
  fflush(stdout);
  return Append(log_, kLogFile, line);
}

absl::Status RunLog::AddProgress(absl::string_view line) {
  if (!on_terminal_) return AddLine(line);
  constexpr char kClearLine[] = "\r\033[K";
  printf("%s%.*s", kClearLine, static_cast<int>(line.size()), line.data());
  fflush(stdout);
  progress_shown_ = true;
  return Append(log_, kLogFile, line);
}

absl::Status RunLog::Append(const File& file, const char* name, absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  if (fwrite(text.data(), 1, text.size(), file.get()) != text.size() || fflush(file.get()) != 0) {
    return base::ErrnoError("write", absl::StrCat(folder_, "/", name));
  }
  return absl::OkStatus();
}

}  // namespace distributed
