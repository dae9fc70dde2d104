#include "nas/supernet/complexity.h"

#include "ATen/TensorOperators.h"
#include "ATen/ops/index_select.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "glog/logging.h"

namespace nas {

at::Tensor Complexity(const std::vector<ConvUse>& convs, const PrecisionParametersImpl& precision,
                      quant::CostModel model, const at::Tensor& presence) {
  const double unit = quant::Macs(convs.front().conv->shape(), model);
  CHECK_GT(unit, 0) << "the complexity is known after a forward pass";
  std::vector<double> macs(precision.num_rows());
  std::vector<int64_t> presence_of_row(precision.num_rows());
  for (const ConvUse& use : convs) {
    macs[use.row] += quant::Macs(use.conv->shape(), model) / unit;
    presence_of_row[use.row] = use.presence;
  }

  const PrecisionParametersImpl::Probabilities probabilities = precision.Softmax();
  const at::Tensor& like = probabilities.activation.defined() ? probabilities.activation : presence;
  const at::TensorOptions options =
      like.defined() ? like.options() : at::TensorOptions(at::kDouble);
  at::Tensor terms = at::tensor(macs, options);
  if (presence.defined()) {
    terms = terms * presence.index_select(0, at::tensor(presence_of_row, options.dtype(at::kLong)));
  }
  const std::vector<int64_t>& bits = precision.bits();
  if (bits.size() == 1) return terms.sum() * (bits[0] * bits[0]);
  const at::Tensor widths = at::tensor(bits, at::kLong).to(options);
  return (terms * probabilities.activation.mv(widths) * probabilities.weight.mv(widths)).sum();
}

}  // namespace nas
