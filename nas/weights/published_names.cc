#include "nas/weights/published_names.h"

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"

namespace nas {
namespace {

constexpr char kWeight[] = ".weight";
constexpr char kConvWeight[] = ".conv.weight";
constexpr char kMixWeight[] = ".mix_weight.conv.weight";

// Where the children of PC-DARTS's operations stand in their `op` sequence.
const std::map<std::string, std::string>& PcDartsChildren(const std::string& operation,
                                                          const base::TensorMap& state) {
  using Children = std::map<std::string, std::string>;
  static const Children& kSepConv =
      *new Children{{"conv1", "op.1"}, {"conv2", "op.2"}, {"bn1", "op.3"},
                    {"conv3", "op.5"}, {"conv4", "op.6"}, {"bn2", "op.7"}};
  static const Children& kDilConv =
      *new Children{{"conv1", "op.1"}, {"conv2", "op.2"}, {"bn", "op.3"}};
  static const Children& kConv1x7 = *new Children{{"conv1", "1"}, {"conv2", "2"}, {"bn", "3"}};
  static const Children& kReluConvBn = *new Children{{"conv", "op.1"}, {"bn", "op.2"}};
  static const Children& kUnchanged = *new Children;  // factorized reduces and pools
  if (state.contains(operation + "conv3.conv.weight")) return kSepConv;
  if (state.contains(operation + "conv.conv.weight")) return kReluConvBn;
  const auto conv1 = state.find(operation + "conv1.conv.weight");
  if (conv1 == state.end()) return kUnchanged;
  return conv1->second.size(2) == conv1->second.size(3) ? kDilConv : kConv1x7;
}

// With the children of operations named as PC-DARTS does.
std::string NumberedName(const std::string& name, const base::TensorMap& state) {
  static const std::regex& kInOperation =
      *new std::regex(R"((cells\.\d+\.(?:preprocess\d|_ops\.\d+(?:\._ops\.\d+)?)\.)([^.]+)(\..*))");
  std::smatch match;
  if (!std::regex_match(name, match, kInOperation)) return name;
  const auto& children = PcDartsChildren(match[1], state);
  const auto child = children.find(match[2]);
  return absl::StrCat(match[1].str(), child == children.end() ? match[2].str() : child->second,
                      match[3].str());
}

// `name` with `suffix` for the end ".conv.weight", if it has that.
std::string WithConvSuffix(const std::string& name, absl::string_view suffix) {
  absl::string_view conv = name;
  if (!absl::ConsumeSuffix(&conv, kConvWeight)) return name;
  return absl::StrCat(conv, suffix);
}

bool IsQdartsFloat(const std::string& name, const base::TensorMap& state) {
  const bool imagenet = state.contains("stem0.0.conv.weight");
  return !absl::StartsWith(name, "cells.") &&
         !(imagenet && absl::StartsWith(name, "auxiliary_head."));
}

bool IsEdmipsFloat(absl::string_view name) {
  return name == "conv1.conv.weight" || name == "Conv2d_1a_3x3.conv.weight";
}

std::string PublishedName(const std::string& name, const base::TensorMap& state,
                          PublishedStyle style) {
  switch (style) {
    case PublishedStyle::kQdartsDerived:
    case PublishedStyle::kQdartsSupernet:
      if (IsQdartsFloat(name, state)) return WithConvSuffix(name, kWeight);
      return style == PublishedStyle::kQdartsDerived ? name : WithConvSuffix(name, kMixWeight);
    case PublishedStyle::kPcDarts:
      return WithConvSuffix(NumberedName(name, state), kWeight);
    case PublishedStyle::kFbqat:
      return NumberedName(name, state);
    case PublishedStyle::kQSubNet:
      return WithConvSuffix(NumberedName(name, state), kMixWeight);
    case PublishedStyle::kEdmips:
    case PublishedStyle::kEdmipsSearch:
      if (IsEdmipsFloat(name)) return WithConvSuffix(name, kWeight);
      return style == PublishedStyle::kEdmips ? name : WithConvSuffix(name, kMixWeight);
    case PublishedStyle::kTorchvision:
      return WithConvSuffix(name, kWeight);
  }
  LOG(FATAL) << "unknown style";
}

}  // namespace

std::map<std::string, std::string> PublishedNames(const base::TensorMap& state,
                                                  PublishedStyle style) {
  std::map<std::string, std::string> names;
  for (const auto& [name, tensor] : state) {
    names.emplace(name, PublishedName(name, state, style));
  }
  return names;
}

std::vector<std::string> PublishedExtraBuffers(const base::TensorMap& state, PublishedStyle style) {
  std::vector<std::string> names;
  if (style == PublishedStyle::kTorchvision) return names;
  for (const auto& [name, published] : PublishedNames(state, style)) {
    absl::string_view conv = published;
    if (!absl::ConsumeSuffix(&conv, kMixWeight) && !absl::ConsumeSuffix(&conv, kConvWeight)) {
      continue;
    }
    names.push_back(absl::StrCat(conv, ".size_product"));
    names.push_back(absl::StrCat(conv, ".memory_size"));
  }
  return names;
}

bool IsPublishedExtraBuffer(absl::string_view name) {
  return absl::EndsWith(name, ".size_product") || absl::EndsWith(name, ".memory_size");
}

bool IsQSubNetAlpha(absl::string_view name) {
  return absl::EndsWith(name, ".mix_activ.alpha_activ") ||
         absl::EndsWith(name, ".mix_weight.alpha_weight");
}

}  // namespace nas
