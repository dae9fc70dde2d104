#include "data/remote/remote_object.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/io/byte_range.h"

namespace data {
namespace {

constexpr size_t kFirst = 4096;

}  // namespace

RemoteObject::RemoteObject(std::shared_ptr<HttpClient> client, HttpGet get, uint64_t size)
    : client_(std::move(client)), get_(std::move(get)), size_(size) {}

absl::StatusOr<std::shared_ptr<const RemoteObject>> RemoteObject::Open(
    std::shared_ptr<HttpClient> client, HttpGet get) {
  auto object = std::make_shared<RemoteObject>(std::move(client), std::move(get), 0);
  object->first_.resize(kFirst);
  HttpGet first = object->get_;
  first.count = kFirst;
  first.to = object->first_.data();
  HttpAnswer answer = object->client_->Get(std::move(first));
  RETURN_IF_ERROR(answer.status);
  object->first_.resize(answer.count);
  object->size_ = answer.object_size;
  object->get_.version = std::move(answer.version);
  return object;
}

void RemoteObject::Start(uint64_t offset, size_t count, void* to, Done done) const {
  if (absl::Status status = CheckRange(name(), size_, offset, count); !status.ok()) {
    return done(std::move(status));
  }
  if (offset + count <= first_.size()) {
    if (count > 0) std::memcpy(to, first_.data() + offset, count);
    return done(absl::OkStatus());
  }
  HttpGet get = get_;
  get.offset = offset;
  get.count = count;
  get.to = to;
  client_->Start(std::move(get), [this, count, done = std::move(done)](HttpAnswer answer) {
    if (answer.status.ok() && (answer.count != count || answer.object_size != size_)) {
      answer.status =
          absl::FailedPreconditionError(absl::StrCat(name(), ": was replaced while it was in use"));
    }
    done(std::move(answer.status));
  });
}

}  // namespace data
