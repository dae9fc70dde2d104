#include "data/remote/aws_settings.h"

#include <cstdlib>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AwsSettingsTest : public testing::Test {
 protected:
  AwsSettingsTest() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    variables_["HOME"] = absl::StrCat(getenv("TEST_TMPDIR"), "/", name);
    EXPECT_TRUE(base::MakeFolder(variables_["HOME"] + "/.aws").ok());
  }

  void Write(const std::string& file, const std::string& text) {
    EXPECT_TRUE(base::WriteFileAtomically(variables_["HOME"] + "/.aws/" + file, text).ok());
  }

  absl::StatusOr<AwsSettings> Read() {
    return ReadAwsSettings([this](const std::string& name) { return variables_[name]; });
  }

  std::map<std::string, std::string> variables_;
};

TEST_F(AwsSettingsTest, TheEnvironmentComesFirst) {
  Write("credentials",
        "[default]\naws_access_key_id = file\naws_secret_access_key = hidden\n"
        "aws_session_token = stale\n");
  Write("config", "[default]\nregion = eu-west-1\nendpoint_url = https://store.example\n");
  variables_["AWS_ACCESS_KEY_ID"] = "variable";
  variables_["AWS_SECRET_ACCESS_KEY"] = "secret";
  variables_["AWS_DEFAULT_REGION"] = "eu-north-1";
  const auto settings = Read();
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->keys.access_key, "variable");
  EXPECT_EQ(settings->keys.secret_key, "secret");
  EXPECT_EQ(settings->keys.session_token, "");  // of other keys
  EXPECT_EQ(settings->region, "eu-north-1");
  EXPECT_EQ(settings->endpoint, "https://store.example");
  variables_["AWS_REGION"] = "eu-south-1";
  variables_["AWS_ENDPOINT_URL"] = "http://localhost:9000";
  EXPECT_EQ(Read()->region, "eu-south-1");
  EXPECT_EQ(Read()->endpoint, "http://localhost:9000");
}

TEST_F(AwsSettingsTest, AProfileOfTheFiles) {
  Write("credentials",
        "# keys\n[default]\naws_access_key_id=a\naws_secret_access_key=b\n"
        "[other]\naws_access_key_id = c=\naws_secret_access_key = d \n");
  Write("config",
        "[default]\nregion=eu-west-1\n\n[profile other]\ns3 =\n  endpoint_url = no\n"
        "region = eu-west-3\nca_bundle = /etc/own.pem\n");
  EXPECT_EQ(Read()->keys.access_key, "a");
  EXPECT_EQ(Read()->region, "eu-west-1");
  variables_["AWS_PROFILE"] = "other";
  EXPECT_EQ(Read()->keys.access_key, "c=");
  EXPECT_EQ(Read()->keys.secret_key, "d");
  EXPECT_EQ(Read()->region, "eu-west-3");
  EXPECT_EQ(Read()->endpoint, "");
  EXPECT_EQ(Read()->certificates, "/etc/own.pem");
}

TEST_F(AwsSettingsTest, NoKeysOrHalfOfThem) {
  variables_["AWS_PROFILE"] = "mine";
  EXPECT_THAT(std::string(Read().status().message()),
              AllOf(HasSubstr("no credentials"), HasSubstr("AWS_ACCESS_KEY_ID"),
                    HasSubstr("[mine] in " + variables_["HOME"] + "/.aws/credentials")));
  variables_["AWS_SECRET_ACCESS_KEY"] = "confidential";
  EXPECT_THAT(std::string(Read().status().message()),
              AllOf(HasSubstr("only one is set"), Not(HasSubstr("confidential"))));
}

TEST_F(AwsSettingsTest, ALineThatMeansNothing) {
  Write("credentials", "[default]\nconfidential\n");
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Read().status().message()),
              AllOf(HasSubstr("credentials: line 2 is neither"), Not(HasSubstr("confidential"))));
}

}  // namespace
}  // namespace data
