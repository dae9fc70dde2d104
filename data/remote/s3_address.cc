#include "data/remote/s3_address.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "data/remote/aws_signature.h"

namespace data {
namespace {

struct Endpoint {
  std::string scheme;  // with "://"
  std::string host;    // and port
  std::string path;    // before the bucket; without a slash at its end
};

absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view url) {
  Endpoint endpoint;
  for (const char* scheme : {"http://", "https://"}) {
    if (absl::ConsumePrefix(&url, scheme)) endpoint.scheme = scheme;
  }
  const std::pair<std::string, std::string> parts = absl::StrSplit(url, absl::MaxSplits('/', 1));
  endpoint.host = parts.first;
  if (endpoint.scheme.empty() || endpoint.host.empty() ||
      url.find_first_of("@?#") != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        "AWS_ENDPOINT_URL: is not http://HOST or https://HOST, with a port or a path or not");
  }
  const absl::string_view path = absl::StripSuffix(parts.second, "/");
  if (!path.empty()) endpoint.path = absl::StrCat("/", path);
  return endpoint;
}

// The text between <NAME> and </NAME>, cut to a line of a message; empty if there is none.
std::string Element(absl::string_view xml, absl::string_view name) {
  constexpr size_t kLongest = 200;
  const std::string open = absl::StrCat("<", name, ">"), close = absl::StrCat("</", name, ">");
  const size_t begin = xml.find(open);
  if (begin == absl::string_view::npos) return "";
  const size_t end = xml.find(close, begin);
  if (end == absl::string_view::npos) return "";
  std::string text(xml.substr(begin + open.size(), end - begin - open.size()).substr(0, kLongest));
  for (char& c : text) c = c == '\n' || c == '\r' ? ' ' : c;
  return text;
}

}  // namespace

absl::StatusOr<HttpGet> S3Get(const std::string& location, const AwsSettings& settings) {
  absl::string_view rest = location;
  absl::ConsumePrefix(&rest, "s3://");
  const std::pair<std::string, std::string> parts = absl::StrSplit(rest, absl::MaxSplits('/', 1));
  const auto& [bucket, key] = parts;
  if (bucket.empty() || key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(location, ": is not s3://BUCKET/PREFIX"));
  }
  Endpoint endpoint;
  std::string path = absl::StrCat("/", EncodePath(key));
  if (!settings.endpoint.empty()) {
    ASSIGN_OR_RETURN(endpoint, ParseEndpoint(settings.endpoint));
    path = absl::StrCat(endpoint.path, "/", EncodePath(bucket), path);
  } else {
    endpoint = {"https://", absl::StrCat("s3.", settings.region, ".amazonaws.com"), ""};
    if (bucket.find('.') == std::string::npos) {
      endpoint.host = absl::StrCat(bucket, ".", endpoint.host);
    } else {
      path = absl::StrCat("/", bucket, path);
    }
  }
  HttpGet get;
  get.name = location;
  get.url = absl::StrCat(endpoint.scheme, endpoint.host, path);
  get.certificates = settings.certificates;
  get.follow_redirects = false;  // A signature is for one host.
  get.explain = ExplainS3;
  get.headers = [host = endpoint.host, path, region = settings.region,
                 keys = settings.keys](absl::string_view range) {
    AwsRequest request;
    request.path = path;
    request.region = region;
    request.payload_sha256 = kEmptySha256;
    request.headers = {
        {"host", host},
        {"range", std::string(range)},
        {"x-amz-content-sha256", kEmptySha256},
        {"x-amz-date", absl::FormatTime("%Y%m%dT%H%M%SZ", absl::Now(), absl::UTCTimeZone())}};
    if (!keys.session_token.empty()) request.headers["x-amz-security-token"] = keys.session_token;
    std::vector<std::string> lines = {
        absl::StrCat("Authorization: ", AwsAuthorization(request, keys))};
    for (const auto& [name, value] : request.headers) {
      if (name != "host" && name != "range") lines.push_back(absl::StrCat(name, ": ", value));
    }
    return lines;
  };
  return get;
}

absl::Status ExplainS3(int code, absl::string_view body) {
  const std::string reason = Element(body, "Code");
  if (reason == "NoSuchBucket") return absl::NotFoundError("there is no such bucket");
  if (reason == "NoSuchKey" || (reason.empty() && code == 404)) {
    return absl::NotFoundError("there is no such object");
  }
  if (reason == "PermanentRedirect" || reason == "AuthorizationHeaderMalformed" || code == 301) {
    const std::string region = Element(body, "Region");
    return absl::FailedPreconditionError(
        absl::StrCat("the bucket is in another region: AWS_REGION names it",
                     region.empty() ? "" : absl::StrCat(", ", region)));
  }
  const std::string what = absl::StrCat("the server answers ", code, reason.empty() ? "" : ", ",
                                        reason, ": ", Element(body, "Message"));
  if (code == 401 || code == 403) return absl::PermissionDeniedError(what);
  return absl::FailedPreconditionError(what);
}

}  // namespace data
