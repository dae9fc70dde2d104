#include "nas/weights/weight_file.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "nas/derived/activation_ranges.h"
#include "nas/networks/fixed_networks.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using Names = std::map<std::string, std::string>;

constexpr char kStateDict[] = "state_dict/";
constexpr char kDataParallel[] = "module.";
// Ours, and those of torchvision's GoogLeNet and Inception-V3.
constexpr const char* kAuxiliaryHeads[] = {"auxiliary_head.", "aux1.", "aux2.", "AuxLogits."};
constexpr char kClassesNote[] = "classes.json";  // A list of strings.
constexpr char kBatchCounter[] = ".num_batches_tracked";

bool AnyStartsWith(const base::TensorMap& tensors, absl::string_view prefix) {
  const auto first = tensors.lower_bound(std::string(prefix));
  return first != tensors.end() && absl::StartsWith(first->first, prefix);
}

// The tensors under `prefix`, without it.
base::TensorMap Under(const base::TensorMap& tensors, absl::string_view prefix) {
  base::TensorMap result;
  for (const auto& [name, tensor] : tensors) {
    absl::string_view rest = name;
    if (absl::ConsumePrefix(&rest, prefix)) result.emplace(rest, tensor);
  }
  return result;
}

// What of a file concerns a network of `state`.
base::TensorMap Weights(base::TensorMap file, const base::TensorMap& state) {
  if (AnyStartsWith(file, kStateDict)) file = Under(file, kStateDict);
  if (AnyStartsWith(file, kDataParallel)) file = Under(file, kDataParallel);
  std::erase_if(file, [](const auto& entry) {
    return IsPublishedExtraBuffer(entry.first) || IsQSubNetAlpha(entry.first);
  });
  for (const char* head : kAuxiliaryHeads) {
    if (AnyStartsWith(state, head)) continue;
    std::erase_if(file, [head](const auto& entry) { return absl::StartsWith(entry.first, head); });
  }
  return file;
}

// Our names and the file's, in the style that most of the file's names follow.
Names RecognizedNames(const base::TensorMap& file, const base::TensorMap& state) {
  Names best;
  size_t most = 0;
  for (const PublishedStyle style :
       {PublishedStyle::kQdartsDerived, PublishedStyle::kPcDarts, PublishedStyle::kQdartsSupernet,
        PublishedStyle::kFbqat, PublishedStyle::kQSubNet, PublishedStyle::kEdmips,
        PublishedStyle::kEdmipsSearch, PublishedStyle::kTorchvision}) {
    Names names = PublishedNames(state, style);
    const size_t known = std::count_if(names.begin(), names.end(), [&file](const auto& name) {
      return file.contains(name.second);
    });
    if (best.empty() || known > most) {
      best = std::move(names);
      most = known;
    }
  }
  return best;
}

void Append(const std::vector<std::string>& names, absl::string_view what,
            std::vector<std::string>* problems) {
  constexpr size_t kShown = 5;
  if (names.empty()) return;
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + std::min(names.size(), kShown));
  problems->push_back(absl::StrCat(names.size(), " ", what, " (", absl::StrJoin(shown, ", "),
                                   names.size() > kShown ? ", ...)" : ")"));
}

// `file` under our names, ready to be copied.
absl::StatusOr<base::TensorMap> Matched(base::TensorMap file, const base::TensorMap& state,
                                        const std::string& kept_prefix) {
  const auto shape = [](const at::Tensor& tensor) {
    return absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "]");
  };
  base::TensorMap matched;
  std::vector<std::string> missing, misshaped, unexpected;
  for (const auto& [name, published] : RecognizedNames(file, state)) {
    const at::Tensor& expected = state.at(name);
    const auto found = file.find(published);
    if (found == file.end()) {
      if (absl::EndsWith(name, kBatchCounter)) {
        matched.emplace(name, expected);
      } else {
        missing.push_back(published);
      }
      continue;
    }
    const bool alike = found->second.sizes() == expected.sizes();
    if (!alike && !kept_prefix.empty() && absl::StartsWith(name, kept_prefix)) {
      matched.emplace(name, expected);
      file.erase(found);
      continue;
    }
    if (!alike) {
      misshaped.push_back(
          absl::StrCat(published, " ", shape(found->second), " instead of ", shape(expected)));
    }
    matched.emplace(name, found->second);
    file.erase(found);
  }
  for (const auto& [name, tensor] : file) unexpected.push_back(name);
  std::vector<std::string> problems;
  Append(missing, "tensors are missing", &problems);
  Append(unexpected, "are unexpected", &problems);
  Append(misshaped, "have another shape", &problems);
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  return matched;
}

absl::Status CopyWeights(base::TensorMap file, const base::TensorMap& state,
                         const std::string& kept_prefix, base::TensorMap* ranges) {
  file = Weights(std::move(file), state);
  std::erase_if(file, [ranges](const auto& entry) {
    if (!IsActivationRange(entry.first)) return false;
    ranges->insert(entry);
    return true;
  });
  ASSIGN_OR_RETURN(const base::TensorMap matched, Matched(std::move(file), state, kept_prefix));
  return base::CopyState(matched, state);
}

absl::StatusOr<std::vector<std::string>> ClassesOf(const base::TensorFileNotes& notes) {
  const auto note = notes.find(kClassesNote);
  if (note == notes.end()) return std::vector<std::string>();
  try {
    return nlohmann::json::parse(note->second).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    return absl::DataLossError("the names of the classes are no list of strings");
  }
}

}  // namespace

PublishedStyle StyleOf(const Architecture& architecture) {
  const std::string& fixed = architecture.fixed_network;
  if (fixed.empty()) return PublishedStyle::kQdartsDerived;
  return IsTorchvisionNetwork(fixed) ? PublishedStyle::kTorchvision : PublishedStyle::kEdmips;
}

absl::Status ReadWeights(const std::string& path, const base::TensorMap& state,
                         WeightCompanions* companions, const std::string& kept_prefix) {
  base::TensorFileNotes notes;
  ASSIGN_OR_RETURN(base::TensorMap file, base::ReadTensorFile(path, &notes));
  WeightCompanions found;
  const absl::Status status = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(found.classes, ClassesOf(notes));
    return CopyWeights(std::move(file), state, kept_prefix, &found.ranges);
  }();
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  if (companions != nullptr) *companions = std::move(found);
  return absl::OkStatus();
}

base::TensorMap PublishedState(const base::TensorMap& state, PublishedStyle style) {
  base::TensorMap tensors;
  for (const auto& [name, published] : PublishedNames(state, style)) {
    tensors.emplace(published, state.at(name));
  }
  for (const std::string& name : PublishedExtraBuffers(state, style)) {
    tensors.emplace(name, at::zeros({}, at::kFloat));
  }
  return tensors;
}

absl::Status WriteWeights(const std::string& path, const base::TensorMap& state,
                          PublishedStyle style, const WeightCompanions& companions) {
  base::TensorMap file = PublishedState(state, style);
  file.insert(companions.ranges.begin(), companions.ranges.end());
  base::TensorFileNotes notes;
  if (!companions.classes.empty()) {
    notes.emplace(kClassesNote, nlohmann::json(companions.classes).dump());
  }
  return base::WriteTensorFile(path, file, notes);
}

}  // namespace nas
