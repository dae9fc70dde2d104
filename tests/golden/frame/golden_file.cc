#include "tests/golden/frame/golden_file.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace golden {
namespace {

absl::StatusOr<nlohmann::json> ReadJson(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::DataLossError(absl::StrCat(path, ": is not JSON"));
  return json;
}

}  // namespace

const at::Tensor& GoldenFile::Tensor(const std::string& key) const {
  const auto tensor = tensors.find(key);
  if (tensor == tensors.end()) throw std::out_of_range(name + ": holds no tensor " + key);
  return tensor->second;
}

const nlohmann::json& GoldenFile::Config(const std::string& key) const {
  const auto config = entry.find("config");
  if (config == entry.end() || !config->contains(key)) {
    throw std::out_of_range(name + ": its config has no " + key);
  }
  return config->at(key);
}

std::string GoldenFile::Text(const std::string& key) const {
  const at::Tensor bytes = Tensor(key).contiguous();
  return std::string(reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()), bytes.numel());
}

absl::StatusOr<std::vector<GoldenFile>> ListFolder(const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  ASSIGN_OR_RETURN(const nlohmann::json manifest, ReadJson(path));
  std::vector<GoldenFile> files;
  for (const nlohmann::json& entry : manifest.value("files", nlohmann::json::array())) {
    if (!entry.is_object() || !entry.contains("file") || !entry["file"].is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": entry without a \"file\""));
    }
    files.push_back({.folder = folder, .name = entry["file"], .entry = entry});
  }
  for (const nlohmann::json& name : manifest.value("json_tables", nlohmann::json::array())) {
    files.push_back({.folder = folder, .name = name});
  }
  return files;
}

absl::StatusOr<GoldenFile> Load(GoldenFile listed) {
  const std::string path = absl::StrCat(listed.folder, "/", listed.name);
  if (absl::EndsWith(listed.name, ".json")) {
    ASSIGN_OR_RETURN(listed.table, ReadJson(path));
  } else {
    ASSIGN_OR_RETURN(listed.tensors, base::ReadTensorFile(path));
  }
  return listed;
}

}  // namespace golden
