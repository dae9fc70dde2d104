#include "data/io/byte_source.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/status_macros.h"

namespace data {

absl::Status ByteSource::Read(uint64_t offset, size_t count, void* to) const {
  std::promise<absl::Status> result;
  Start(offset, count, to, [&result](absl::Status status) { result.set_value(std::move(status)); });
  return result.get_future().get();
}

absl::StatusOr<std::string> ReadAll(const ByteSource& source) {
  std::string bytes(source.size(), '\0');
  RETURN_IF_ERROR(source.Read(0, bytes.size(), bytes.data()));
  return bytes;
}

bool IsRemote(absl::string_view location) {
  const size_t end = location.find("://");
  return end != absl::string_view::npos && end > 0 &&
         std::all_of(location.begin(), location.begin() + end,
                     [](unsigned char c) { return absl::ascii_isalnum(c); });
}

}  // namespace data
