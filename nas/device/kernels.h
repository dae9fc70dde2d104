// All kernels.
#ifndef NAS_DEVICE_KERNELS_H_
#define NAS_DEVICE_KERNELS_H_

#include <variant>

#include "nas/device/node_kernels.h"
#include "nas/device/statistics_kernels.h"
#include "nas/device/unit_kernels.h"
#include "nas/device/weight_kernels.h"

namespace nas::device {

template <typename T>
using Kernel =
    std::variant<UnitForward<T>, UnitBackward<T>, Ranges<T>, ColumnSums<T>, JoinRanges<T>,
                 MakeMixtures<T>, FoldStatistics<T>, FoldGradients<T>, Normalize<T>,
                 PrepareState<T>, Mix<T>, Products<T>, ArchitectureGradients<T>, StateGradient<T>,
                 MixWeights<T>, MixWeightsBackward<T>, AddRows<T>>;

}  // namespace nas::device

#endif  // NAS_DEVICE_KERNELS_H_
