#include "nas/published_names.h"

#include <regex>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace nas {
namespace {

constexpr char kConvWeight[] = ".conv.weight";

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

std::string PcDartsName(const std::string& name, const base::TensorMap& state) {
  static const std::regex& kInOperation =
      *new std::regex(R"((cells\.\d+\.(?:preprocess\d|_ops\.\d+(?:\._ops\.\d+)?)\.)([^.]+)(\..*))");
  std::string tail = name;
  std::string head;
  if (std::smatch match; std::regex_match(name, match, kInOperation)) {
    head = match[1];
    const auto& children = PcDartsChildren(head, state);
    const auto child = children.find(match[2]);
    tail = absl::StrCat(child == children.end() ? match[2].str() : child->second, match[3].str());
  }
  if (absl::EndsWith(tail, kConvWeight)) {
    tail = absl::StrCat(absl::StripSuffix(tail, kConvWeight), ".weight");
  }
  return head + tail;
}

std::string QdartsSupernetName(const std::string& name) {
  if (!absl::StartsWith(name, "cells.") || !absl::EndsWith(name, kConvWeight)) return name;
  return absl::StrCat(absl::StripSuffix(name, kConvWeight), ".mix_weight", kConvWeight);
}

}  // namespace

absl::StatusOr<PublishedStyle> ParsePublishedStyle(absl::string_view name) {
  if (name == "qdarts") return PublishedStyle::kQdartsDerived;
  if (name == "qdarts_supernet") return PublishedStyle::kQdartsSupernet;
  if (name == "pcdarts") return PublishedStyle::kPcDarts;
  return absl::InvalidArgumentError(absl::StrCat("unknown weight names '", name,
                                                 "'; expected qdarts, qdarts_supernet or pcdarts"));
}

std::map<std::string, std::string> PublishedNames(const base::TensorMap& state,
                                                  PublishedStyle style) {
  std::map<std::string, std::string> names;
  for (const auto& [name, tensor] : state) {
    std::string& published = names[name] = name;
    if (style == PublishedStyle::kQdartsSupernet) published = QdartsSupernetName(name);
    if (style == PublishedStyle::kPcDarts) published = PcDartsName(name, state);
  }
  return names;
}

std::vector<std::string> PublishedExtraBuffers(const base::TensorMap& state, PublishedStyle style) {
  std::vector<std::string> names;
  if (style == PublishedStyle::kPcDarts) return names;
  for (const auto& [name, tensor] : state) {
    if (!absl::EndsWith(name, kConvWeight)) continue;
    const absl::string_view conv = absl::StripSuffix(name, kConvWeight);
    names.push_back(absl::StrCat(conv, ".size_product"));
    names.push_back(absl::StrCat(conv, ".memory_size"));
  }
  return names;
}

bool IsPublishedExtraBuffer(absl::string_view name) {
  return absl::EndsWith(name, ".size_product") || absl::EndsWith(name, ".memory_size");
}

}  // namespace nas
