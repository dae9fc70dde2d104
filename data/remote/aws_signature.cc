#include "data/remote/aws_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace data {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";

std::string Hmac(absl::string_view key, absl::string_view message) {
  unsigned char code[SHA256_DIGEST_LENGTH];
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), code, nullptr);
  return std::string(reinterpret_cast<const char*>(code), sizeof(code));
}

}  // namespace

const char kEmptySha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string Sha256(absl::string_view bytes) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash);
  return absl::BytesToHexString({reinterpret_cast<const char*>(hash), sizeof(hash)});
}

std::string AwsAuthorization(const AwsRequest& request, const AwsKeys& keys) {
  std::vector<std::string> names;
  std::string lines;
  for (const auto& [name, value] : request.headers) {
    names.push_back(name);
    absl::StrAppend(&lines, name, ":", value, "\n");
  }
  const std::string signed_headers = absl::StrJoin(names, ";");
  const std::string canonical =
      absl::StrCat(request.method, "\n", request.path, "\n", request.query, "\n", lines, "\n",
                   signed_headers, "\n", request.payload_sha256);
  const std::string& time = request.headers.at("x-amz-date");
  const std::string date = time.substr(0, 8);
  const std::string scope =
      absl::StrCat(date, "/", request.region, "/", request.service, "/aws4_request");
  const std::string to_sign =
      absl::StrCat(kAlgorithm, "\n", time, "\n", scope, "\n", Sha256(canonical));
  std::string key = absl::StrCat("AWS4", keys.secret_key);
  for (const std::string& part :
       {date, request.region, request.service, std::string("aws4_request")}) {
    key = Hmac(key, part);
  }
  return absl::StrCat(kAlgorithm, " Credential=", keys.access_key, "/", scope,
                      ", SignedHeaders=", signed_headers,
                      ", Signature=", absl::BytesToHexString(Hmac(key, to_sign)));
}

std::string EncodePath(absl::string_view path) {
  std::string encoded;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) ||
        absl::string_view("-._~/").find(c) != absl::string_view::npos) {
      encoded += c;
    } else {
      absl::StrAppend(&encoded, absl::StrFormat("%%%02X", byte));
    }
  }
  return encoded;
}

}  // namespace data
