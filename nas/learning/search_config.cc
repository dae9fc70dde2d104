#include "nas/learning/search_config.h"

#include <string>

#include "nas/space/image_kind.h"
#include "nlohmann/json.hpp"
#include "quant/names.h"

namespace nas {

nlohmann::json ToJson(const SearchConfig& config) {
  const SupernetConfig& supernet = config.supernet;
  nlohmann::json json = {
      {"supernet",
       {{"images", std::string(ImageKindName(supernet.images))},
        {"channels", supernet.channels},
        {"layers", supernet.layers},
        {"classes", supernet.classes},
        {"bits", supernet.bits},
        {"partial_channels", supernet.partial_channels},
        {"eight_bit", std::string(quant::EightBitName(supernet.eight_bit))},
        {"cost_model", std::string(quant::CostModelName(supernet.cost_model))},
        {"expected_cost", supernet.expected_cost},
        {"gamma_start", supernet.gamma_start}}},
      {"weight_rate", ToJson(config.weight_rate)},
      {"momentum", config.momentum},
      {"weight_decay", config.weight_decay},
      {"weight_grad_clip", config.weight_grad_clip},
      {"alpha_begin", config.alpha_begin},
      {"alpha_rate", ToJson(config.alpha_rate)},
      {"alpha_weight_decay", config.alpha_weight_decay},
      {"alpha_grad_clip", config.alpha_grad_clip},
      {"second_order", config.second_order},
      {"gamma_optimizer",
       config.gamma_optimizer == SearchConfig::GammaOptimizer::kAdam ? "adam" : "sgd"},
      {"gamma_rate", ToJson(config.gamma_rate)},
      {"gamma_weight_decay", config.gamma_weight_decay},
      {"complexity_decay", config.complexity_decay},
      {"target", ToJson(config.target)},
      {"derived",
       {{"images", std::string(ImageKindName(config.derived.images))},
        {"image_side", config.derived.image_side},
        {"channels", config.derived.channels},
        {"layers", config.derived.layers},
        {"classes", config.derived.classes},
        {"auxiliary", config.derived.auxiliary},
        {"quantize_stem", config.derived.quantize_stem}}},
      {"depth_rule", config.depth_rule == DepthRule::kPublished ? "published" : "proportional"},
  };
  // Absent in the configurations of checkpoints older than the choice.
  if (supernet.random_channels) json["supernet"]["channel_sampling"] = "random";
  return json;
}

}  // namespace nas
