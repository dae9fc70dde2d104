// What a network says of images, in C++, for comparison with the same network in Python.
//
//   print_logits ARCHITECTURE.json WEIGHTS.pt IMAGES.pt LOGITS.pt float32|float64
// IMAGES.pt has "images" [N, 3, side, side]; LOGITS.pt gets "logits" [N, classes]. Ranges of 8-bit activations are those
// of the weights' file, if it has any.
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "c10/core/GradMode.h"
#include "nas/derived/activation_ranges.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/weights/weight_file.h"

namespace nas {
namespace {

absl::Status Run(const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const Architecture architecture, ReadArchitecture(arguments[0]));
  ASSIGN_OR_RETURN(const auto network, DerivedNetwork::Create(architecture));
  const at::ScalarType dtype = arguments[4] == "float64" ? at::kDouble : at::kFloat;
  network->to(dtype);
  WeightCompanions companions;
  RETURN_IF_ERROR(ReadWeights(arguments[1], base::ModuleState(*network), &companions));
  if (!companions.ranges.empty()) RETURN_IF_ERROR(SetActivationRanges(*network, companions.ranges));
  network->eval();
  ASSIGN_OR_RETURN(const base::TensorMap input, base::ReadTensorFile(arguments[2]));
  const c10::NoGradGuard no_grad;
  const at::Tensor logits = network->forward(input.at("images").to(dtype)).logits;
  return base::WriteTensorFile(arguments[3], {{"logits", logits}});
}

}  // namespace
}  // namespace nas

int main(int argc, char** argv) {
  const absl::Status status = nas::Run(std::vector<std::string>(argv + 1, argv + argc));
  if (!status.ok()) std::cerr << status.message() << std::endl;
  return status.ok() ? 0 : 1;
}
