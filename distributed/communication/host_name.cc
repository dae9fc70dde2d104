#include "distributed/communication/host_name.h"

#include <limits.h>
#include <unistd.h>

namespace distributed {

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof(name)) == 0 ? name : "unknown";
}

}  // namespace distributed
