#include "distributed/communication/host_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/write_all.h"
#include "distributed/communication/rank_agreement.h"
#include "xxhash.h"

namespace distributed {
namespace {

// A descriptor that is closed.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<Descriptor> Sealed(const std::string& bytes) {
  const auto failed = [](const char* what) { return absl::ErrnoToStatus(errno, what); };
  Descriptor fd(memfd_create("nqdarts", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd.get() < 0) return failed("cannot make memory that ranks share");
  if (!base::WriteAll(fd.get(), bytes)) return failed("cannot write memory that ranks share");
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return failed("cannot seal memory that ranks share");
  }
  return fd;
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
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int seals = fd.get() < 0 ? -1 : fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_WRITE) == 0) return absl::NotFoundError(path);
  ASSIGN_OR_RETURN(base::SharedBytes shared, Map(fd.get()));
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
  Descriptor shown(-1);
  std::string announcement;
  if (first) {
    shared = [&]() -> absl::StatusOr<base::SharedBytes> {
      ASSIGN_OR_RETURN(const std::string bytes, make());
      ASSIGN_OR_RETURN(shown, Sealed(bytes));
      announcement =
          absl::StrCat(place.host, "\n/proc/", getpid(), "/fd/", shown.get(), "\n", HashOf(bytes));
      return Map(shown.get());
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
