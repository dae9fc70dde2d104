// A convolution or normalization of a packed network made ready to run.
#ifndef QUANT_RUNTIME_CONV_PLAN_H_
#define QUANT_RUNTIME_CONV_PLAN_H_

#include <cstdint>

#include "quant/runtime/packed_network.h"
#include "quant/runtime/plan.h"

namespace quant::runtime {

bool OnIntegers(const Node& node);

// Bytes of its weights, before it is made.
int64_t WeightBytes(const Node& node, const ConvGeometry& geometry);

// Weights alone.
ConvPlan MakeConvPlan(const Node& node, int32_t index, const ConvGeometry& geometry);

// The lines of `target`, if its view has bytes and every channel has one; else the numbers that
// Finish wants, unless `conv` has them.
void SetFinish(const Node& node, ConvPlan& conv, Target& target);
void SetFinish(const Node& node, ConvPlan& conv);  // The latter.

// Of a step of its own.
void SetNorm(const Node& node, Step& step);

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_CONV_PLAN_H_
