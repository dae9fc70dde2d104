// Which processors a thread may use: those near a device, and how many a launcher has left it.
#ifndef BASE_PROCESSORS_H_
#define BASE_PROCESSORS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace base {

// The numbers in a list such as "0-3,8,10-11", as Linux writes them; none if it is no such list.
std::vector<int> ParseProcessorList(absl::string_view text);

// Those of the NUMA node that the PCI device `id` ("0000:3b:00.0", in any case) is attached to;
// none if the system does not say, as where there is one node. `sys`: where the system tells.
std::vector<int> ProcessorsNear(absl::string_view id, const std::string& sys = "/sys");

// Those that the calling thread may use.
std::vector<int> ProcessorsOfThread();

// From now on the calling thread, and those that it starts, use only those of `processors` that it
// may use. False, and nothing changes, if it may use none of them.
bool KeepTo(const std::vector<int>& processors);

}  // namespace base

#endif  // BASE_PROCESSORS_H_
