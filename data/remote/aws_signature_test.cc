// Against the signatures that AWS's documents publish, with their keys, which open nothing.
#include "data/remote/aws_signature.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::EndsWith;

// "Signature calculations for the Authorization header", examples.
const AwsKeys kS3Keys = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

AwsRequest S3Request() {
  AwsRequest request;
  request.region = "us-east-1";
  request.payload_sha256 = kEmptySha256;
  request.headers = {{"host", "examplebucket.s3.amazonaws.com"},
                     {"x-amz-content-sha256", kEmptySha256},
                     {"x-amz-date", "20130524T000000Z"}};
  return request;
}

TEST(AwsSignatureTest, AnObjectsRange) {
  AwsRequest request = S3Request();
  request.path = "/test.txt";
  request.headers["range"] = "bytes=0-9";
  EXPECT_EQ(AwsAuthorization(request, kS3Keys),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(AwsSignatureTest, ABucketsLifecycle) {
  AwsRequest request = S3Request();
  request.query = "lifecycle=";
  EXPECT_THAT(
      AwsAuthorization(request, kS3Keys),
      EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(AwsSignatureTest, AListOfObjects) {
  AwsRequest request = S3Request();
  request.query = "max-keys=2&prefix=J";
  EXPECT_THAT(
      AwsAuthorization(request, kS3Keys),
      EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(AwsSignatureTest, AnUpload) {
  AwsRequest request = S3Request();
  request.method = "PUT";
  request.path = EncodePath("/test$file.text");
  request.payload_sha256 = Sha256("Welcome to Amazon S3.");
  request.headers["date"] = "Fri, 24 May 2013 00:00:00 GMT";
  request.headers["x-amz-content-sha256"] = request.payload_sha256;
  request.headers["x-amz-storage-class"] = "REDUCED_REDUNDANCY";
  EXPECT_THAT(
      AwsAuthorization(request, kS3Keys),
      EndsWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

// Of the suite of test cases, get-vanilla.
TEST(AwsSignatureTest, TheSmallestRequest) {
  AwsRequest request;
  request.region = "us-east-1";
  request.service = "service";
  request.payload_sha256 = kEmptySha256;
  request.headers = {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
  const AwsKeys keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  EXPECT_THAT(
      AwsAuthorization(request, keys),
      EndsWith("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"));
}

TEST(AwsSignatureTest, HashesAndPaths) {
  EXPECT_EQ(Sha256(""), kEmptySha256);
  EXPECT_EQ(EncodePath("/a b/\xC3\xA9+~_.-/%41"), "/a%20b/%C3%A9%2B~_.-/%2541");
}

}  // namespace
}  // namespace data
