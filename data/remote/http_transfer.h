// One request of an HttpClient, try by try, as libcurl takes it.
#ifndef DATA_REMOTE_HTTP_TRANSFER_H_
#define DATA_REMOTE_HTTP_TRANSFER_H_

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "data/remote/content_range.h"

namespace data {

// A request of bytes [offset, offset + count).
struct HttpGet {
  std::string name;  // what errors call it
  std::string url;
  uint64_t offset = 0;
  size_t count = 0;  // more than 0
  void* to = nullptr;
  std::string version;       // that the object must have; empty: any
  std::string certificates;  // file of those that are trusted; empty: the client's
  bool follow_redirects = true;
  // Makes the headers of a try, "Name: value", for bytes [first, last]. Null: none.
  std::function<std::vector<std::string>(absl::string_view range)> headers;
  // The error that an answer means which has no bytes and is not tried again. Null: what HTTP says.
  std::function<absl::Status(int code, absl::string_view body)> explain;
};

struct HttpAnswer {
  absl::Status status;
  size_t count = 0;          // bytes copied: fewer than asked for where the object ends before
  uint64_t object_size = 0;  // bytes
  std::string version;       // its ETag, or else when it was modified; empty if the server has none
};

// Used by one thread. What a try has brought is kept: the next one asks for the rest.
class HttpTransfer {
 public:
  HttpTransfer(HttpGet get, std::function<void(HttpAnswer)> done);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;
  ~HttpTransfer();

  const HttpGet& get() const { return get_; }

  // Bytes, over all tries.
  size_t received() const { return answer_.count; }

  // Prepares `easy` for a try. It gives up when the server says nothing for `patience`.
  void Begin(CURL* easy, absl::Duration patience, const std::string& certificates);

  enum class Outcome { kWhole, kAgain, kRefused };

  // What became of the try. After kAgain, reason() says why; after kRefused, status().
  Outcome End(CURLcode result);
  const std::string& reason() const { return reason_; }
  const absl::Status& status() const { return status_; }

  // Calls `done`; the status names the request.
  void Finish(const absl::Status& status);

 private:
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* transfer);
  static size_t OnBody(char* bytes, size_t size, size_t count, void* transfer);

  void AddHeader(absl::string_view line);
  // Whether the answer, a 206, has the bytes asked for, of the object asked for, and room for them.
  bool Accepts(size_t more);
  bool AcceptsObject();
  Outcome EndOfAnswer(int code);
  long Code() const;

  const HttpGet get_;
  const std::function<void(HttpAnswer)> done_;
  HttpAnswer answer_;
  std::string reason_;
  absl::Status status_;

  // Of the try under way.
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  char curl_error_[CURL_ERROR_SIZE] = "";
  std::string etag_, modified_, body_;
  std::optional<ContentRange> range_;
};

}  // namespace data

#endif  // DATA_REMOTE_HTTP_TRANSFER_H_
