// The modules of a fused unit (nas/fused/unit_shape.h): its convolutions, and the batch normalization
// behind them.
#ifndef NAS_OPERATIONS_UNIT_MODULES_H_
#define NAS_OPERATIONS_UNIT_MODULES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "distributed/data_parallel/batch_norm.h"
#include "nas/fused/normalization.h"
#include "nas/fused/unit_shape.h"
#include "quant/precision_conv.h"
#include "torch/nn/module.h"

namespace nas {

struct UnitModules {
  std::vector<quant::PrecisionConv2dImpl*> convs;
  distributed::BatchNorm2dImpl* norm;  // Null where no normalization follows.
};

// Those of an operation, in the order in which they compute; a pool's have a normalization alone.
std::vector<UnitModules> UnitModulesOf(const torch::nn::Module& operation);

fused::Normalization NormalizationOf(const distributed::BatchNorm2dImpl& norm);

// Notes the convolutions' sizes for an input of height and width `in`, as their own forward passes
// would; returns the unit's output's.
std::array<int64_t, 2> NoteSizes(const UnitModules& modules, const fused::UnitShape& shape,
                                 std::array<int64_t, 2> in);

}  // namespace nas

#endif  // NAS_OPERATIONS_UNIT_MODULES_H_
