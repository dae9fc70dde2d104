#include "data/remote/s3_address.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

AwsSettings Settings(const std::string& endpoint = "") {
  AwsSettings settings;
  settings.keys = {"access", "secret", ""};
  settings.region = "eu-west-1";
  settings.endpoint = endpoint;
  return settings;
}

std::string Url(const std::string& location, const std::string& endpoint = "") {
  const auto get = S3Get(location, Settings(endpoint));
  return get.ok() ? get->url : std::string(get.status().message());
}

TEST(S3AddressTest, TheBucketInTheHostOrInThePath) {
  EXPECT_EQ(Url("s3://photos/a b/0.shard"),
            "https://photos.s3.eu-west-1.amazonaws.com/a%20b/0.shard");
  EXPECT_EQ(Url("s3://my.photos/0"), "https://s3.eu-west-1.amazonaws.com/my.photos/0");
  EXPECT_EQ(Url("s3://photos/0", "http://localhost:9000/"), "http://localhost:9000/photos/0");
  EXPECT_EQ(Url("s3://photos/0", "https://host/store"), "https://host/store/photos/0");
}

TEST(S3AddressTest, WhatIsNoAddress) {
  for (const char* location : {"s3://", "s3://photos", "s3://photos/", "s3:///key"}) {
    EXPECT_THAT(Url(location), HasSubstr("is not s3://BUCKET/PREFIX")) << location;
  }
  for (const char* endpoint : {"localhost:9000", "ftp://host", "https://", "http://me:it@host"}) {
    EXPECT_THAT(Url("s3://photos/0", endpoint), StartsWith("AWS_ENDPOINT_URL: is not"));
  }
}

TEST(S3AddressTest, SignedHeadersWithoutTheSecret) {
  AwsSettings settings = Settings();
  settings.keys.session_token = "token";
  const auto get = S3Get("s3://photos/0", settings);
  ASSERT_TRUE(get.ok()) << get.status();
  const auto lines = get->headers("bytes=0-9");
  EXPECT_THAT(lines, Contains(StartsWith("Authorization: AWS4-HMAC-SHA256 Credential=access/")));
  EXPECT_THAT(lines, Contains(HasSubstr("SignedHeaders=host;range;x-amz-content-sha256;"
                                        "x-amz-date;x-amz-security-token, ")));
  EXPECT_THAT(lines, Contains("x-amz-security-token: token"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("secret"))));
}

TEST(S3AddressTest, AnswersInWords) {
  EXPECT_EQ(ExplainS3(404, "<Error><Code>NoSuchBucket</Code></Error>"),
            absl::NotFoundError("there is no such bucket"));
  EXPECT_EQ(ExplainS3(404, ""), absl::NotFoundError("there is no such object"));
  EXPECT_EQ(ExplainS3(403, "<Code>AccessDenied</Code><Message>Access\nDenied</Message>"),
            absl::PermissionDeniedError("the server answers 403, AccessDenied: Access Denied"));
  EXPECT_THAT(std::string(ExplainS3(400,
                                    "<Code>AuthorizationHeaderMalformed</Code>"
                                    "<Region>us-west-2</Region>")
                              .message()),
              HasSubstr("another region: AWS_REGION names it, us-west-2"));
}

}  // namespace
}  // namespace data
