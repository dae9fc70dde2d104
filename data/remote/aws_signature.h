// Signatures of requests to S3 and its like: AWS Signature, version 4, as AWS's reference
// "Authenticating requests (AWS Signature Version 4)" specifies it.
#ifndef DATA_REMOTE_AWS_SIGNATURE_H_
#define DATA_REMOTE_AWS_SIGNATURE_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace data {

struct AwsKeys {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // of temporary keys; else empty
};

struct AwsRequest {
  std::string method = "GET";
  std::string path = "/";  // as it is sent, encoded
  std::string query;       // the same, its parameters in order
  // All that are signed, by name in lower case, "host" and "x-amz-date" among them; values without
  // blanks around them.
  std::map<std::string, std::string> headers;
  std::string payload_sha256;  // in hexadecimal
  std::string region;
  std::string service = "s3";
};

// Of no bytes.
extern const char kEmptySha256[];

// In hexadecimal.
std::string Sha256(absl::string_view bytes);

// The value of the header Authorization.
std::string AwsAuthorization(const AwsRequest& request, const AwsKeys& keys);

// As a path in a URL, and so in what is signed: all but letters, digits, "-._~" and "/" as %XX.
std::string EncodePath(absl::string_view path);

}  // namespace data

#endif  // DATA_REMOTE_AWS_SIGNATURE_H_
