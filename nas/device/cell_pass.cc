#include "nas/device/cell_pass.h"

#include "distributed/communication/status_exception.h"
#include "nas/fused/quantizer_set.h"
#include "quant/precision.h"
#include "quant/quantizers.h"

namespace nas::device {

template <typename T>
Mixture<T> CellPass<T>::MixtureOf(int index, int conv) const {
  const std::vector<int64_t>& bits = cell.bits;
  Mixture<T> mixture;
  mixture.candidates = candidates[index][conv];
  mixture.count = fused::NumCandidates(bits);
  mixture.has_float = mixture.count < static_cast<int>(bits.size());
  if (quant::NeedsRange(bits) && cell.eight_bit != quant::EightBit::kSymmetric) {
    mixture.channel_stride = mixture.count;
  }
  const T* const row = ProbabilitiesOf(plan.units[index]);
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] == quant::kFloatBits && row != nullptr) mixture.float_probability = row + i;
  }
  return mixture;
}

template <typename T>
UnitArgs<T> CellPass<T>::UnitOf(int index) const {
  const Unit& unit = plan.units[index];
  UnitArgs<T> args{};
  args.shape = unit.shape;
  args.weights[0] = weights + unit.weights_at;
  args.weights[1] = args.weights[0] + unit.shape.first_weights();
  for (int conv = 0; conv < 2; ++conv) args.mixtures[conv] = MixtureOf(index, conv);
  args.y = pointwise[index];
  if (unit.edge < 0) {
    args.height = input_height[unit.input];
    args.width = input_width[unit.input];
    args.x = inputs[unit.input];
    args.x_sample = unit.shape.in * args.height * args.width;
  } else if (unit.previous >= 0) {
    args.height = out_height;
    args.width = out_width;
    args.x = pointwise[unit.previous];
    args.x_sample = unit.shape.in * out_size();
    args.activation.scale = folds[unit.previous].scale;
    args.activation.shift = folds[unit.previous].shift;
  } else {
    args.height = state_height(unit.input);
    args.width = state_width(unit.input);
    args.x = State(unit.input).planes;
    args.x_sample = State(unit.input).sample;
  }
  return args;
}

template <typename T>
void AddSamples(Launcher& launcher, const at::Tensor& values, const at::Tensor& sums) {
  launcher.Launch(Kernel<T>(ColumnSums<T>{.values = values.const_data_ptr<double>(),
                                          .rows = values.size(0),
                                          .width = sums.numel(),
                                          .sums = sums.mutable_data_ptr<double>()}));
}

void SumOverRanks(distributed::Communicator* communicator, const at::Tensor& sums) {
  if (communicator == nullptr || sums.numel() == 0) return;
  distributed::ThrowIfError(communicator->AllReduce(sums, distributed::ReduceOp::kSum));
}

template struct CellPass<float>;
template struct CellPass<double>;
template void AddSamples<float>(Launcher&, const at::Tensor&, const at::Tensor&);
template void AddSamples<double>(Launcher&, const at::Tensor&, const at::Tensor&);

}  // namespace nas::device
