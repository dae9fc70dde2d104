#include "tools/flags/renamed_flags.h"

namespace tools {
namespace {

struct Renamed {
  absl::string_view from;
  absl::string_view to;
};

constexpr Renamed kRenamed[] = {
    {"arch", "architecture"},
    {"candidates", "bits"},
    {"json", "output"},
    {"loader_threads", "threads"},
    {"lr", "weight_lr"},
    {"lr_min", "weight_lr_min"},
    {"out", "output"},
    {"workers", "threads"},
    // Of precision_search alone; in a search of operations it is still the rate of the alphas.
    {"alpha_lr", "gamma_lr"},
};

}  // namespace

absl::string_view NewNameOf(absl::string_view flag) {
  for (const Renamed& renamed : kRenamed) {
    if (flag == renamed.from) return renamed.to;
  }
  return "";
}

}  // namespace tools
