// Gets ranges of bytes from HTTP servers, many at a time, and tries again until an answer is whole.
#ifndef DATA_REMOTE_HTTP_CLIENT_H_
#define DATA_REMOTE_HTTP_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "data/remote/http_transfer.h"

namespace data {

struct HttpOptions {
  // How long a request goes on without an answer, over all tries; those before it included, if none
  // of them was answered either.
  absl::Duration timeout = absl::Minutes(5);
  int depth = 16;  // requests under way at a time; the others wait
  // File of the certificates that are trusted; empty: the system's.
  std::string certificates;
  // Asked now and then; once it says yes, what fails is not tried again. Null: no.
  std::function<bool()> give_up;
  // Told, in a line, that a server does not answer and is tried again.
  std::function<void(const std::string&)> notice;
};

// Thread-safe.
class HttpClient {
 public:
  using Done = std::function<void(HttpAnswer)>;

  explicit HttpClient(HttpOptions options);

  // Requests under way end with Cancelled.
  ~HttpClient();

  const HttpOptions& options() const;

  // Calls `done` once, on the client's thread, which it must not keep. Tries again, ever more
  // slowly, if nothing or too little comes back, or 408, 429, 500, 502, 503, 504; after the
  // timeout, DeadlineExceeded with the last reason, after `give_up` Aborted. A server that never
  // answered this client is given up after 10 seconds: it is rather misnamed than down. NotFound,
  // PermissionDenied and the like where the server says so; FailedPrecondition if it has no ranges,
  // its certificate does not hold, or the object is another one than `version`.
  void Start(HttpGet get, Done done);

  // The same, waited for; not in a `done`.
  HttpAnswer Get(HttpGet get);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace data

#endif  // DATA_REMOTE_HTTP_CLIENT_H_
