#include "data/remote/aws_settings.h"

#include <cstdlib>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace data {
namespace {

using Section = std::map<std::string, std::string>;

// The section of an INI file that is headed `name`; empty if there is none, or no file. Nested
// settings, which are indented, are passed over.
absl::StatusOr<Section> ReadSection(const std::string& path, absl::string_view name) {
  Section section;
  const absl::StatusOr<std::string> text = base::ReadFile(path);
  if (absl::IsNotFound(text.status())) return section;
  RETURN_IF_ERROR(text.status());
  bool inside = false;
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(*text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';' || absl::ascii_isspace(raw[0])) continue;
    if (line.front() == '[' && line.back() == ']') {
      inside = absl::StripAsciiWhitespace(line.substr(1, line.size() - 2)) == name;
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": line ", number, " is neither [section] nor name = value"));
    }
    if (!inside) continue;
    section[std::string(absl::StripAsciiWhitespace(line.substr(0, equals)))] =
        std::string(absl::StripAsciiWhitespace(line.substr(equals + 1)));
  }
  return section;
}

std::string FirstOf(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return "";
}

}  // namespace

std::string ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

absl::StatusOr<AwsSettings> ReadAwsSettings(const Environment& environment) {
  const std::string home = absl::StrCat(environment("HOME"), "/.aws/");
  const std::string profile = FirstOf({environment("AWS_PROFILE"), "default"});
  const std::string keys_file =
      FirstOf({environment("AWS_SHARED_CREDENTIALS_FILE"), home + "credentials"});
  const std::string config_file = FirstOf({environment("AWS_CONFIG_FILE"), home + "config"});
  ASSIGN_OR_RETURN(Section keys, ReadSection(keys_file, profile));
  ASSIGN_OR_RETURN(
      Section config,
      ReadSection(config_file, profile == "default" ? profile : absl::StrCat("profile ", profile)));
  AwsSettings settings;
  settings.keys = {environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                   environment("AWS_SESSION_TOKEN")};
  if (settings.keys.access_key.empty() && settings.keys.secret_key.empty()) {
    Section& from = keys.count("aws_access_key_id") > 0 ? keys : config;
    settings.keys = {from["aws_access_key_id"], from["aws_secret_access_key"],
                     from["aws_session_token"]};
  }
  if (settings.keys.access_key.empty() != settings.keys.secret_key.empty()) {
    return absl::FailedPreconditionError(
        "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set");
  }
  if (settings.keys.access_key.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor [",
                     profile, "] in ", keys_file, " (what is public can be read as https://)"));
  }
  settings.region = FirstOf({environment("AWS_REGION"), environment("AWS_DEFAULT_REGION"),
                             config["region"], settings.region});
  settings.endpoint = FirstOf({environment("AWS_ENDPOINT_URL_S3"), environment("AWS_ENDPOINT_URL"),
                               config["endpoint_url"]});
  settings.certificates = FirstOf({environment("AWS_CA_BUNDLE"), config["ca_bundle"]});
  return settings;
}

}  // namespace data
