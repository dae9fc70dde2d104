#include "nas/operations/unit_modules.h"

#include <cstddef>
#include <utility>

namespace nas {

std::vector<UnitModules> UnitModulesOf(const torch::nn::Module& operation) {
  std::vector<UnitModules> units;
  std::vector<quant::PrecisionConv2dImpl*> convs;
  for (const auto& module : operation.modules(/*include_self=*/false)) {
    if (auto* conv = module->as<quant::PrecisionConv2dImpl>()) convs.push_back(conv);
    if (auto* norm = module->as<distributed::BatchNorm2dImpl>()) {
      units.push_back({std::exchange(convs, {}), norm});
    }
  }
  if (!convs.empty()) units.push_back({std::move(convs), nullptr});
  return units;
}

fused::Normalization NormalizationOf(const distributed::BatchNorm2dImpl& norm) {
  return {norm.running_mean, norm.running_var, norm.num_batches_tracked,
          norm.options.momentum().value(), norm.options.eps()};
}

std::array<int64_t, 2> NoteSizes(const UnitModules& modules, const fused::UnitShape& shape,
                                 std::array<int64_t, 2> in) {
  const std::array<int64_t, 2> out = {in[0] / shape.stride, in[1] / shape.stride};
  for (size_t c = 0; c < modules.convs.size(); ++c) {
    if (shape.kind == fused::UnitKind::kReduce) {
      // The second half reads from the second row and column on.
      const int64_t skipped = static_cast<int64_t>(c);
      modules.convs[c]->set_sizes({in[0] - skipped, in[1] - skipped}, out);
    } else {
      modules.convs[c]->set_sizes(c == 0 ? in : out, out);
    }
  }
  return out;
}

}  // namespace nas
