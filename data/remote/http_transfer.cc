#include "data/remote/http_transfer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace data {
namespace {

constexpr size_t kErrorBody = 4096;  // of an answer's body, what is kept to explain it
constexpr long kMaxRedirects = 5;

// What the same question later may get another answer to.
bool IsTransient(long code) {
  for (const long transient : {408, 429, 500, 502, 503, 504}) {
    if (code == transient) return true;
  }
  return false;
}

bool IsFinal(CURLcode result) {
  switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return true;
    default:
      return false;
  }
}

absl::Status ExplainHttp(int code) {
  const std::string what = absl::StrCat("the server answers ", code);
  if (code == 404 || code == 410) return absl::NotFoundError(absl::StrCat(what, ", not found"));
  if (code == 401 || code == 403) {
    return absl::PermissionDeniedError(absl::StrCat(what, ", no permission"));
  }
  return absl::FailedPreconditionError(what);
}

}  // namespace

HttpTransfer::HttpTransfer(HttpGet get, std::function<void(HttpAnswer)> done)
    : get_(std::move(get)), done_(std::move(done)) {}

HttpTransfer::~HttpTransfer() { curl_slist_free_all(headers_); }

void HttpTransfer::Begin(CURL* easy, absl::Duration patience, const std::string& certificates) {
  easy_ = easy;
  reason_.clear();
  status_ = absl::OkStatus();
  etag_.clear();
  modified_.clear();
  body_.clear();
  range_.reset();
  curl_error_[0] = '\0';
  const std::string range =
      absl::StrCat("bytes=", get_.offset + answer_.count, "-", get_.offset + get_.count - 1);
  curl_slist_free_all(std::exchange(headers_, nullptr));
  headers_ = curl_slist_append(nullptr, absl::StrCat("Range: ", range).c_str());
  if (get_.headers) {
    for (const std::string& line : get_.headers(range)) {
      headers_ = curl_slist_append(headers_, line.c_str());
    }
  }
  const long seconds = std::max<long>(1, absl::ToInt64Seconds(patience));
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, get_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_error_);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "nqdarts");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, get_.follow_redirects ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, seconds);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1000L);  // bytes a second
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, seconds);
  const std::string& trusted = get_.certificates.empty() ? certificates : get_.certificates;
  if (!trusted.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, trusted.c_str());
}

long HttpTransfer::Code() const {
  long code = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

size_t HttpTransfer::OnHeader(char* bytes, size_t size, size_t count, void* transfer) {
  static_cast<HttpTransfer*>(transfer)->AddHeader({bytes, size * count});
  return size * count;
}

void HttpTransfer::AddHeader(absl::string_view line) {
  if (absl::StartsWith(line, "HTTP/")) {  // another answer: that behind a redirection
    etag_.clear();
    modified_.clear();
    range_.reset();
  }
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return;
  const absl::string_view name = line.substr(0, colon);
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "etag")) etag_ = std::string(value);
  if (absl::EqualsIgnoreCase(name, "last-modified")) modified_ = std::string(value);
  if (absl::EqualsIgnoreCase(name, "content-range")) range_ = ParseContentRange(value);
}

size_t HttpTransfer::OnBody(char* bytes, size_t size, size_t count, void* transfer) {
  auto& self = *static_cast<HttpTransfer*>(transfer);
  const size_t more = size * count;
  const long code = self.Code();
  if (code == 200) {
    self.status_ = absl::FailedPreconditionError(
        "the server has no ranges: asked for a part, it answers with the whole");
    return CURL_WRITEFUNC_ERROR;
  }
  if (code != 206) {
    self.body_.append(bytes, std::min(more, kErrorBody - self.body_.size()));
    return more;
  }
  if (!self.Accepts(more)) return CURL_WRITEFUNC_ERROR;
  std::memcpy(static_cast<char*>(self.get_.to) + self.answer_.count, bytes, more);
  self.answer_.count += more;
  return more;
}

bool HttpTransfer::Accepts(size_t more) {
  const uint64_t position = get_.offset + answer_.count;
  const bool first = range_ && !range_->none && range_->first == position;
  if (!first || more > range_->last - range_->first + 1 || more > get_.count - answer_.count) {
    reason_ = "an answer of other bytes than those asked for";
    return false;
  }
  range_->first += more;
  if (range_->first > range_->last) range_->last = range_->first;
  return AcceptsObject();
}

bool HttpTransfer::AcceptsObject() {
  const std::string& version = etag_.empty() ? modified_ : etag_;
  const bool known = answer_.object_size > 0;
  const std::string& expected = known ? answer_.version : get_.version;
  if ((!expected.empty() && version != expected) ||
      (known && range_->size != answer_.object_size)) {
    status_ = absl::FailedPreconditionError("was replaced while it was in use");
    return false;
  }
  answer_.version = version;
  answer_.object_size = range_->size;
  return true;
}

HttpTransfer::Outcome HttpTransfer::EndOfAnswer(int code) {
  if (code == 206) {
    const uint64_t left = answer_.object_size - std::min(answer_.object_size, get_.offset);
    if (answer_.object_size > 0 && answer_.count >= std::min<uint64_t>(get_.count, left)) {
      return Outcome::kWhole;
    }
    reason_ = "a short answer";
    return Outcome::kAgain;
  }
  if (code == 416 && range_ && range_->none) {
    answer_.object_size = range_->size;
    return Outcome::kWhole;
  }
  if (code == 200) {  // of no bytes
    status_ = absl::FailedPreconditionError("the server has no ranges");
    return Outcome::kRefused;
  }
  status_ = get_.explain ? get_.explain(code, body_) : ExplainHttp(code);
  return Outcome::kRefused;
}

HttpTransfer::Outcome HttpTransfer::End(CURLcode result) {
  const long code = Code();
  if (!status_.ok()) return Outcome::kRefused;
  if (!reason_.empty()) return Outcome::kAgain;
  if (result == CURLE_OK && IsTransient(code)) {
    reason_ = absl::StrCat("the server answers ", code);
    return Outcome::kAgain;
  }
  if (result == CURLE_OK) return EndOfAnswer(static_cast<int>(code));
  reason_ = curl_error_[0] != '\0' ? curl_error_ : curl_easy_strerror(result);
  if (!IsFinal(result)) return Outcome::kAgain;
  const bool peer = result == CURLE_PEER_FAILED_VERIFICATION;
  status_ = absl::FailedPreconditionError(
      absl::StrCat(peer ? "the server's certificate does not hold: " : "", reason_));
  return Outcome::kRefused;
}

void HttpTransfer::Finish(const absl::Status& status) {
  if (!status.ok()) {
    answer_.status = absl::Status(status.code(), absl::StrCat(get_.name, ": ", status.message()));
  }
  done_(std::move(answer_));
}

}  // namespace data
