#include "tools/program/complexity_unit.h"

namespace tools {
namespace {

double Complexity(const std::vector<quant::ConvShape>& convs, quant::CostModel model) {
  double sum = 0;
  for (const quant::ConvShape& conv : convs) sum += quant::Macs(conv, model);
  return sum / quant::Macs(convs.front(), model);
}

}  // namespace

double PublishedComplexityRatio(const std::vector<quant::ConvShape>& convs) {
  return Complexity(convs, quant::CostModel::kPublished) /
         Complexity(convs, quant::CostModel::kExact);
}

}  // namespace tools
