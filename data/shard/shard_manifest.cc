#include "data/shard/shard_manifest.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "nlohmann/json.hpp"

namespace data {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "nqdarts-shards";
constexpr int kVersion = 1, kVersionWithFields = 2;

absl::StatusOr<ShardManifest::Shard> ParseShard(const Json& json) {
  const auto field = [&json](const char* name) { return json.value(name, Json()); };
  ShardManifest::Shard shard;
  if (!json.is_object() || !field("file").is_string() || !field("samples").is_number_unsigned() ||
      !field("index_checksum").is_string() ||
      !absl::SimpleHexAtoi(field("index_checksum").get<std::string>(), &shard.index_checksum)) {
    return absl::InvalidArgumentError("shards: needs file, samples and index_checksum");
  }
  shard.file = field("file").get<std::string>();
  shard.samples = field("samples").get<int64_t>();
  if (shard.file.empty() || shard.file.find('/') != std::string::npos || shard.samples < 0) {
    return absl::InvalidArgumentError(absl::StrCat("shards: bad entry ", shard.file));
  }
  return shard;
}

absl::StatusOr<SampleField> ParseField(const Json& json) {
  const Json shape = json.is_object() ? json.value("shape", Json::array()) : Json();
  SampleField field;
  if (!shape.is_array() || !json.value("name", Json()).is_string() ||
      !json.value("type", Json()).is_string()) {
    return absl::InvalidArgumentError("fields: needs name, type and, of numbers, shape");
  }
  field.name = json["name"].get<std::string>();
  ASSIGN_OR_RETURN(field.type, FieldTypeOfName(json["type"].get<std::string>()));
  for (const Json& extent : shape) {
    if (!extent.is_number_integer()) {
      return absl::InvalidArgumentError("fields: a shape is of integers");
    }
    field.shape.push_back(extent.get<int64_t>());
  }
  RETURN_IF_ERROR(NumbersSize(field).status());
  return field;
}

absl::StatusOr<ShardManifest> ParseManifest(const Json& json) {
  if (!json.is_object() || json.value("format", Json()) != kFormat) {
    return absl::InvalidArgumentError(absl::StrCat("format: is not ", kFormat));
  }
  const Json version = json.value("version", Json());
  if (version != kVersion && version != kVersionWithFields) {
    return absl::InvalidArgumentError(
        absl::StrCat("version: this program reads ", kVersion, " and ", kVersionWithFields));
  }
  ShardManifest manifest;
  for (const Json& name : json.value("class_names", Json::array())) {
    if (!name.is_string()) return absl::InvalidArgumentError("class_names: not all are strings");
    manifest.class_names.push_back(name.get<std::string>());
  }
  for (const Json& field : json.value("fields", Json::array())) {
    ASSIGN_OR_RETURN(SampleField parsed, ParseField(field));
    manifest.fields.push_back(std::move(parsed));
  }
  if (manifest.fields.size() > kMaxFields || manifest.fields.empty() != (version == kVersion)) {
    return absl::InvalidArgumentError(
        absl::StrCat("fields: ", manifest.fields.size(), " in version ", version.dump()));
  }
  for (const Json& shard : json.value("shards", Json::array())) {
    ASSIGN_OR_RETURN(ShardManifest::Shard parsed, ParseShard(shard));
    manifest.shards.push_back(std::move(parsed));
  }
  return manifest;
}

}  // namespace

absl::StatusOr<ShardManifest> ParseShardManifest(absl::string_view text, const std::string& name) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError(absl::StrCat(name, ": not JSON"));
  auto manifest = ParseManifest(json);
  if (!manifest.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", manifest.status().message()));
  }
  return manifest;
}

absl::StatusOr<ShardManifest> ReadShardManifest(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kShardManifestFile);
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  return ParseShardManifest(text, path);
}

absl::Status WriteShardManifest(const std::string& folder, const ShardManifest& manifest) {
  Json json = {{"format", kFormat},
               {"version", manifest.fields.empty() ? kVersion : kVersionWithFields}};
  json["class_names"] = manifest.class_names;
  for (const SampleField& field : manifest.fields) {
    json["fields"].push_back({{"name", field.name},
                              {"type", std::string(FieldTypeName(field.type))},
                              {"shape", field.shape}});
  }
  json["shards"] = Json::array();
  for (const ShardManifest::Shard& shard : manifest.shards) {
    json["shards"].push_back(
        {{"file", shard.file},
         {"samples", shard.samples},
         {"index_checksum", absl::StrCat(absl::Hex(shard.index_checksum, absl::kZeroPad16))}});
  }
  // A name that is not UTF-8 must not make the dataset unusable.
  return base::WriteFileAtomically(
      absl::StrCat(folder, "/", kShardManifestFile),
      json.dump(/*indent=*/1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n");
}

}  // namespace data
