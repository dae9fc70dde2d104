#include "distributed/communication/host_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "base/write_all.h"
#include "distributed/communication/rank_agreement.h"
#include "xxhash.h"

namespace distributed {
namespace {

using Descriptor = std::unique_ptr<const base::FileDescriptor>;

absl::StatusOr<Descriptor> Sealed(const std::string& bytes) {
  const auto failed = [](const char* what) { return absl::ErrnoToStatus(errno, what); };
  const int fd = memfd_create("nqdarts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return failed("cannot make memory that ranks share");
  auto descriptor = std::make_unique<const base::FileDescriptor>(fd);
  if (!base::WriteAll(fd, bytes)) return failed("cannot write memory that ranks share");
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return failed("cannot seal memory that ranks share");
  }
  return descriptor;
}

absl::StatusOr<base::SharedBytes> Map(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return absl::ErrnoToStatus(errno, "shared memory");
  const size_t size = status.st_size;
  if (size == 0) return base::SharedBytes();
  void* const memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map shared memory");
  return base::SharedBytes{.bytes = {static_cast<const char*>(memory), size},
                           .owner = std::shared_ptr<const void>(
                               memory, [memory, size](const void*) { munmap(memory, size); })};
}

// Tells the memory of a process from what another place has by its name.
std::string HashOf(absl::string_view bytes) {
  return absl::StrCat(bytes.size(), "-",
                      absl::Hex(XXH3_64bits(bytes.data(), bytes.size()), absl::kZeroPad16));
}

// Nothing, unless a process of this host shows these bytes at `path`.
absl::StatusOr<base::SharedBytes> MapOf(const std::string& path, absl::string_view hash) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::NotFoundError(path);
  const base::FileDescriptor descriptor(fd);
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_WRITE) == 0) return absl::NotFoundError(path);
  ASSIGN_OR_RETURN(base::SharedBytes shared, Map(fd));
  if (HashOf(shared.bytes) != hash) return absl::NotFoundError(path);
  return shared;
}

}  // namespace

absl::StatusOr<base::SharedBytes> ShareOnHost(
    Communicator& communicator, const std::function<absl::StatusOr<std::string>()>& make) {
  const auto make_own = [&]() -> absl::StatusOr<base::SharedBytes> {
    ASSIGN_OR_RETURN(std::string bytes, make());
    return base::Share(std::move(bytes));
  };
  if (communicator.size() == 1) return make_own();

  const Place& place = communicator.place();
  const bool first = place.local_rank == 0;
  absl::StatusOr<base::SharedBytes> shared = base::SharedBytes();
  Descriptor shown;
  std::string announcement;
  if (first) {
    shared = [&]() -> absl::StatusOr<base::SharedBytes> {
      ASSIGN_OR_RETURN(const std::string bytes, make());
      ASSIGN_OR_RETURN(shown, Sealed(bytes));
      announcement =
          absl::StrCat(place.host, "\n/proc/", getpid(), "/fd/", shown->get(), "\n", HashOf(bytes));
      return Map(shown->get());
    }();
  }
  RETURN_IF_ERROR(AgreeOnStatus(communicator, shared.status()));
  ASSIGN_OR_RETURN(const auto all, AllGatherStrings(communicator, announcement));
  if (!first) {
    shared = absl::NotFoundError(place.host);
    for (const std::string& one : all) {
      const std::vector<std::string> parts = absl::StrSplit(one, '\n');
      if (parts.size() == 3 && parts[0] == place.host) shared = MapOf(parts[1], parts[2]);
    }
    if (!shared.ok()) shared = make_own();
  }
  // The first ranks' descriptors stay open until the others have theirs.
  RETURN_IF_ERROR(AgreeOnStatus(communicator, shared.status()));
  return shared;
}

}  // namespace distributed
