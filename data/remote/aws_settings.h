// Keys, region and endpoint for S3, from where AWS's own programs take them: environment variables,
// then the profile's sections of ~/.aws/credentials and ~/.aws/config.
#ifndef DATA_REMOTE_AWS_SETTINGS_H_
#define DATA_REMOTE_AWS_SETTINGS_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "data/remote/aws_signature.h"

namespace data {

struct AwsSettings {
  AwsKeys keys;
  std::string region = "us-east-1";
  std::string endpoint;      // a URL; empty: AWS
  std::string certificates;  // file of those trusted; empty: the system's
};

// An environment variable's value; empty if it is not set.
using Environment = std::function<std::string(const std::string& name)>;
std::string ProcessEnvironment(const std::string& name);

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION,
// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_CA_BUNDLE; AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE
// and AWS_CONFIG_FILE say where else to look. InvalidArgument, naming file and line, for a file
// that is none of these; FailedPrecondition if there are no keys, or half of them, saying where
// they may be. No message holds a value of a key.
absl::StatusOr<AwsSettings> ReadAwsSettings(const Environment& environment = ProcessEnvironment);

}  // namespace data

#endif  // DATA_REMOTE_AWS_SETTINGS_H_
