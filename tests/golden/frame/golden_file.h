// A folder of golden vectors: manifest.json and the files it lists.
//
// The manifest's "files" is a list of entries {"file", "config", "tolerance", ...}, one per file of
// named tensors; its "json_tables" lists files that are JSON themselves. The vectors' producer
// explains the key prefixes ("param/", "out64/", ...) in the manifest's "doc".
#ifndef TESTS_GOLDEN_FRAME_GOLDEN_FILE_H_
#define TESTS_GOLDEN_FRAME_GOLDEN_FILE_H_

#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "base/tensor_file.h"
#include "nlohmann/json.hpp"

namespace golden {

struct GoldenFile {
  std::string folder;
  std::string name;              // within the folder
  nlohmann::json entry = {};     // the manifest's; null for a JSON table
  base::TensorMap tensors = {};  // of a tensor file
  nlohmann::json table = {};     // of a JSON table

  // These throw, naming the file and the key, if it is missing: what a file lacks fails its check.
  const at::Tensor& Tensor(const std::string& key) const;
  const nlohmann::json& Config(const std::string& key) const;
  // The tensor `key` as the text that its UTF-8 bytes spell.
  std::string Text(const std::string& key) const;
};

// The files that folder/manifest.json lists, in its order, not read yet: only folder, name, entry.
absl::StatusOr<std::vector<GoldenFile>> ListFolder(const std::string& folder);

// Reads tensors or table.
absl::StatusOr<GoldenFile> Load(GoldenFile listed);

}  // namespace golden

#endif  // TESTS_GOLDEN_FRAME_GOLDEN_FILE_H_
