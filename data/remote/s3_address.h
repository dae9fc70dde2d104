// How an S3-compatible store is asked for an object, s3://BUCKET/KEY.
#ifndef DATA_REMOTE_S3_ADDRESS_H_
#define DATA_REMOTE_S3_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/remote/aws_settings.h"
#include "data/remote/http_transfer.h"

namespace data {

// All of a request but its range, each try signed anew. At an endpoint of one's own the bucket is
// the first part of the path; at AWS, of the host's name, unless it has dots, which certificates do
// not fit. InvalidArgument if there is no bucket or no key, or the endpoint is no URL.
absl::StatusOr<HttpGet> S3Get(const std::string& location, const AwsSettings& settings);

// What a store's answer means.
absl::Status ExplainS3(int code, absl::string_view body);

}  // namespace data

#endif  // DATA_REMOTE_S3_ADDRESS_H_
