#include "data/io/later_source.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace data {

absl::StatusOr<std::shared_ptr<const ByteSource>> LaterSource::Source() const {
  const std::lock_guard lock(mutex_);
  if (source_ == nullptr) {
    ASSIGN_OR_RETURN(const auto source, store_->Open(location_, content_));
    std::string head(std::min<uint64_t>(head_.size(), source->size()), '\0');
    RETURN_IF_ERROR(source->Read(0, head.size(), head.data()));
    if (source->size() != size_ || head != head_) {
      return absl::FailedPreconditionError(
          absl::StrCat(location_, ": was replaced while it was in use"));
    }
    source_ = source;
  }
  return source_;
}

void LaterSource::Start(uint64_t offset, size_t count, void* to, Done done) const {
  const auto source = Source();
  if (!source.ok()) return done(source.status());
  (*source)->Start(offset, count, to, std::move(done));
}

absl::Status LaterSource::Read(uint64_t offset, size_t count, void* to) const {
  ASSIGN_OR_RETURN(const auto source, Source());
  return source->Read(offset, count, to);
}

void LaterSource::WillRead(uint64_t offset, uint64_t count) const {
  // An error comes up again where the bytes are needed.
  if (const auto source = Source(); source.ok()) (*source)->WillRead(offset, count);
}

void LaterSource::Forget() const {
  const std::lock_guard lock(mutex_);
  if (source_ != nullptr) source_->Forget();
}

bool LaterSource::Refetch(uint64_t offset, uint64_t count) const {
  const auto source = Source();
  return source.ok() && (*source)->Refetch(offset, count);
}

}  // namespace data
