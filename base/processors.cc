#include "base/processors.h"

#include <sched.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"

namespace base {

std::vector<int> ParseProcessorList(absl::string_view text) {
  std::vector<int> processors;
  for (absl::string_view part : absl::StrSplit(absl::StripAsciiWhitespace(text), ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(part, '-');
    int first = 0, last = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &first) ||
        !absl::SimpleAtoi(ends.back(), &last) || first < 0 || last < first || last >= CPU_SETSIZE) {
      return {};
    }
    for (int i = first; i <= last; ++i) processors.push_back(i);
  }
  return processors;
}

std::vector<int> ProcessorsNear(absl::string_view id, const std::string& sys) {
  const auto node =
      ReadFile(absl::StrCat(sys, "/bus/pci/devices/", absl::AsciiStrToLower(id), "/numa_node"));
  int number = -1;
  if (!node.ok() || !absl::SimpleAtoi(*node, &number) || number < 0) return {};
  const auto list = ReadFile(absl::StrCat(sys, "/devices/system/node/node", number, "/cpulist"));
  return list.ok() ? ParseProcessorList(*list) : std::vector<int>();
}

std::vector<int> ProcessorsOfThread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

bool KeepTo(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int allowed : ProcessorsOfThread()) {
    if (std::find(processors.begin(), processors.end(), allowed) != processors.end()) {
      CPU_SET(allowed, &set);
    }
  }
  return CPU_COUNT(&set) > 0 && sched_setaffinity(0, sizeof(set), &set) == 0;
}

}  // namespace base
