#include "distributed/training/run_display.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"

namespace distributed {
namespace {

using Show = TrainerOptions::Show;

// mpirun makes standard output a pseudo-terminal, but not standard error.
bool OnTerminal() { return isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

int TerminalColumns() {
  constexpr int kUsual = 80;
  winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

RunDisplay::RunDisplay(Show show)
    : show_(show == Show::kBar && !OnTerminal() ? Show::kLines : show) {}

RunDisplay::~RunDisplay() {
  if (bar_is_shown_) printf("\n");
}

void RunDisplay::ShowLine(absl::string_view line) {
  if (show_ == Show::kNothing) return;
  constexpr char kClearLine[] = "\r\033[K";
  printf("%s%.*s\n", std::exchange(bar_is_shown_, false) ? kClearLine : "",
         static_cast<int>(line.size()), line.data());
  fflush(stdout);
}

void RunDisplay::ShowReport(const Progress& progress) {
  if (show_ == Show::kBar) {
    DrawBar(progress);
  } else {
    ShowLine(ProgressLine(progress));
  }
}

void RunDisplay::ShowStep(const Progress& progress) {
  constexpr absl::Duration kPause = absl::Milliseconds(100);
  if (show_ == Show::kBar && absl::Now() - drawn_ >= kPause) DrawBar(progress);
}

void RunDisplay::ShowEpoch(const EpochResult& result) {
  if (show_ == Show::kBar) {
    TableLine line = EpochTableLine(result);
    if (line.header != header_) ShowLine(line.header);
    header_ = std::move(line.header);
    ShowLine(line.row);
  } else if (!result.evaluation.empty()) {
    ShowLine(EvaluationLine(result));
  }
}

void RunDisplay::DrawBar(const Progress& progress) {
  // The last column stays free: some terminals wrap behind it.
  printf("\r%s\033[K", ProgressBar(progress, TerminalColumns() - 1).c_str());
  fflush(stdout);
  bar_is_shown_ = true;
  drawn_ = absl::Now();
}

}  // namespace distributed
