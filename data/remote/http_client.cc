#include "data/remote/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"

namespace data {
namespace {

constexpr absl::Duration kStrangerTimeout = absl::Seconds(10);
constexpr absl::Duration kFirstWait = absl::Milliseconds(100), kLongestWait = absl::Seconds(5);
constexpr absl::Duration kLongestPatience = absl::Seconds(20);
// Longer than a try may last and the wait before it.
constexpr absl::Duration kOutageForgotten = absl::Seconds(30);
constexpr absl::Duration kNoticeAfter = absl::Seconds(1), kBetweenNotices = absl::Seconds(30);

// Debian's, where libcurl looks by itself, are not where every system has them.
HttpOptions WithCertificates(HttpOptions options) {
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    std::error_code error;
    if (options.certificates.empty() && std::filesystem::exists(path, error)) {
      options.certificates = path;
    }
  }
  return options;
}

// A request and where it stands.
struct Request {
  Request(HttpGet get, HttpClient::Done done) : transfer(std::move(get), std::move(done)) {}

  HttpTransfer transfer;
  absl::Time failing_since = absl::InfiniteFuture();
  absl::Time next_try = absl::InfinitePast();
  absl::Duration wait = kFirstWait;
  size_t received = 0;  // bytes, at the end of the last try
};

}  // namespace

class HttpClient::Impl {
 public:
  explicit Impl(HttpOptions options)
      : options_(WithCertificates(std::move(options))), thread_(&Impl::Work, this) {}
  ~Impl();

  const HttpOptions& options() const { return options_; }
  void Start(HttpGet get, Done done);

 private:
  struct Try {
    std::unique_ptr<Request> request;
    CURL* easy;
    absl::Time begun;
  };

  static CURLM* MakeMulti() {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    return once == CURLE_OK ? curl_multi_init() : nullptr;
  }

  void Work();
  bool TakeAdded();  // false: stop
  void BeginTries(absl::Time now);
  void EndTry(CURL* easy, CURLcode result);
  void TryLater(Try tried);
  void GiveUp();
  void Notice(const Request& request, absl::Time now);
  absl::Duration UntilNextTry(absl::Time now) const;

  const HttpOptions options_;
  CURLM* const multi_ = MakeMulti();

  // Used by the thread alone.
  bool met_ = false;  // whether a server has answered
  // Of tries, without an answer in between. What fails then has waited with those before it, or a
  // batch would wait for the timeout as often as its samples exceed the depth.
  absl::Time outage_since_ = absl::InfiniteFuture(), last_failure_ = absl::InfinitePast();
  absl::Time noticed_ = absl::InfinitePast();
  std::deque<std::unique_ptr<Request>> waiting_;
  std::vector<Try> tries_;
  std::vector<CURL*> idle_;
  std::minstd_rand random_{std::random_device()()};

  std::mutex mutex_;  // Guards what follows.
  std::deque<std::unique_ptr<Request>> added_;
  bool stop_ = false;

  std::thread thread_;  // Last, as it uses the others.
};

HttpClient::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  curl_multi_wakeup(multi_);
  thread_.join();
  const absl::Status cancelled = absl::CancelledError("no longer needed");
  for (const Try& open : tries_) {
    curl_multi_remove_handle(multi_, open.easy);
    idle_.push_back(open.easy);
    open.request->transfer.Finish(cancelled);
  }
  for (const auto& request : waiting_) request->transfer.Finish(cancelled);
  for (const auto& request : added_) request->transfer.Finish(cancelled);
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
}

void HttpClient::Impl::Start(HttpGet get, Done done) {
  auto request = std::make_unique<Request>(std::move(get), std::move(done));
  {
    const std::lock_guard lock(mutex_);
    added_.push_back(std::move(request));
  }
  curl_multi_wakeup(multi_);
}

bool HttpClient::Impl::TakeAdded() {
  const std::lock_guard lock(mutex_);
  for (auto& request : added_) waiting_.push_back(std::move(request));
  added_.clear();
  return !stop_;
}

void HttpClient::Impl::BeginTries(absl::Time now) {
  const absl::Duration patience =
      std::clamp(options_.timeout / 4, absl::Seconds(1), kLongestPatience);
  for (auto it = waiting_.begin();
       it != waiting_.end() && static_cast<int>(tries_.size()) < options_.depth;) {
    if ((*it)->next_try > now) {
      ++it;
      continue;
    }
    if (idle_.empty()) idle_.push_back(curl_easy_init());
    tries_.push_back({std::move(*it), idle_.back(), now});
    idle_.pop_back();
    it = waiting_.erase(it);
    const Try& begun = tries_.back();
    begun.request->transfer.Begin(begun.easy, patience, options_.certificates);
    curl_multi_add_handle(multi_, begun.easy);
  }
}

void HttpClient::Impl::EndTry(CURL* easy, CURLcode result) {
  const auto place = std::find_if(tries_.begin(), tries_.end(),
                                  [easy](const Try& open) { return open.easy == easy; });
  Try ended = std::move(*place);
  tries_.erase(place);
  const HttpTransfer::Outcome outcome = ended.request->transfer.End(result);
  curl_multi_remove_handle(multi_, easy);
  idle_.push_back(easy);
  if (outcome == HttpTransfer::Outcome::kAgain) return TryLater(std::move(ended));
  met_ = true;
  outage_since_ = absl::InfiniteFuture();
  ended.request->transfer.Finish(ended.request->transfer.status());
}

void HttpClient::Impl::TryLater(Try tried) {
  Request& request = *tried.request;
  const absl::Time now = absl::Now();
  const size_t received = request.transfer.received();
  const bool progress = received > std::exchange(request.received, received);
  if (now - std::exchange(last_failure_, now) > kOutageForgotten) outage_since_ = now;
  outage_since_ = progress ? absl::InfiniteFuture() : std::min(outage_since_, now);
  request.failing_since =
      progress ? now : std::min({request.failing_since, tried.begun, outage_since_});
  const absl::Duration failing = now - request.failing_since;
  const absl::Duration timeout =
      met_ ? options_.timeout : std::min(options_.timeout, kStrangerTimeout);
  if (failing >= timeout) {
    return request.transfer.Finish(absl::DeadlineExceededError(
        absl::StrCat("no answer for ", absl::ToInt64Seconds(failing),
                     " seconds, at last: ", request.transfer.reason())));
  }
  Notice(request, now);
  // Not all requests at once, nor all ranks.
  const absl::Duration wait = request.wait * std::uniform_real_distribution<>(0.5, 1)(random_);
  request.next_try = now + std::min(wait, timeout - failing);
  request.wait = std::min(2 * request.wait, kLongestWait);
  waiting_.push_back(std::move(tried.request));
}

// On those whose last try failed.
void HttpClient::Impl::GiveUp() {
  const auto failing = [](const auto& request) {
    return request->failing_since != absl::InfiniteFuture();
  };
  const auto given_up =
      std::stable_partition(waiting_.begin(), waiting_.end(), std::not_fn(failing));
  for (auto it = given_up; it != waiting_.end(); ++it) {
    (*it)->transfer.Finish(absl::AbortedError(
        absl::StrCat("no answer, at last: ", (*it)->transfer.reason(), "; given up")));
  }
  waiting_.erase(given_up, waiting_.end());
}

void HttpClient::Impl::Notice(const Request& request, absl::Time now) {
  if (!options_.notice || now - request.failing_since < kNoticeAfter ||
      now - noticed_ < kBetweenNotices) {
    return;
  }
  noticed_ = now;
  options_.notice(absl::StrCat(request.transfer.get().name, ": no answer (",
                               request.transfer.reason(), "); it is tried again"));
}

absl::Duration HttpClient::Impl::UntilNextTry(absl::Time now) const {
  absl::Duration until = absl::Seconds(1);
  if (static_cast<int>(tries_.size()) == options_.depth) return until;
  for (const auto& request : waiting_) until = std::min(until, request->next_try - now);
  return std::max(until, absl::ZeroDuration());
}

void HttpClient::Impl::Work() {
  while (TakeAdded()) {
    BeginTries(absl::Now());
    int running = 0;
    curl_multi_perform(multi_, &running);
    bool ended = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      EndTry(message->easy_handle, message->data.result);
      ended = true;
    }
    if (options_.give_up && options_.give_up()) GiveUp();
    if (ended) continue;
    const int64_t wait = absl::ToInt64Milliseconds(UntilNextTry(absl::Now()));
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait) + 1, nullptr);
  }
}

HttpClient::HttpClient(HttpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

const HttpOptions& HttpClient::options() const { return impl_->options(); }

void HttpClient::Start(HttpGet get, Done done) { impl_->Start(std::move(get), std::move(done)); }

HttpAnswer HttpClient::Get(HttpGet get) {
  std::promise<HttpAnswer> answer;
  Start(std::move(get), [&answer](HttpAnswer given) { answer.set_value(std::move(given)); });
  return answer.get_future().get();
}

}  // namespace data
