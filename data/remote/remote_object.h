// An object of a server as a byte source.
#ifndef DATA_REMOTE_REMOTE_OBJECT_H_
#define DATA_REMOTE_REMOTE_OBJECT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/io/byte_source.h"
#include "data/remote/http_client.h"

namespace data {

class RemoteObject : public ByteSource {
 public:
  // Asks for the object's first bytes, which it keeps: those of a header cost no more requests.
  // `get` is all of a request but its range.
  static absl::StatusOr<std::shared_ptr<const RemoteObject>> Open(
      std::shared_ptr<HttpClient> client, HttpGet get);

  // An object of which this is known; nothing is asked.
  RemoteObject(std::shared_ptr<HttpClient> client, HttpGet get, uint64_t size);

  const std::string& name() const override { return get_.name; }
  uint64_t size() const override { return size_; }
  void Start(uint64_t offset, size_t count, void* to, Done done) const override;
  bool Refetch(uint64_t offset, uint64_t count) const override { return true; }

 private:
  const std::shared_ptr<HttpClient> client_;
  HttpGet get_;
  uint64_t size_ = 0;
  std::string first_;  // bytes
};

}  // namespace data

#endif  // DATA_REMOTE_REMOTE_OBJECT_H_
