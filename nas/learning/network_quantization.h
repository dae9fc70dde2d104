// Post-training quantization of a whole network: the tensors of its state, and the outputs of its
// layers (PTQ/cnn/test_modified_imagenet.py).
//
//   QuantizeState(base::ModuleState(*network), options);
//   OutputQuantizers outputs(*network, options);
//   outputs.set_calibrating(true);
//   network->forward(images);                                       // a few batches
//   outputs.set_calibrating(false);
//   RETURN_IF_ERROR(outputs.AgreeOnLevels(*communicator));
//   network->forward(images);                                       // as quantized
#ifndef NAS_LEARNING_NETWORK_QUANTIZATION_H_
#define NAS_LEARNING_NETWORK_QUANTIZATION_H_

#include <cstdint>
#include <deque>
#include <string>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "base/output_tap.h"
#include "base/tensor_file.h"
#include "distributed/communication/communicator.h"
#include "quant/post_training_quantizers.h"
#include "torch/nn/module.h"

namespace nas {

// A width of 32 or more leaves its tensors as they are.
struct PostTrainingOptions {
  quant::PostTraining method = quant::PostTraining::kLinear;
  int64_t param_bits = 8;    // Weights, biases, scales and shifts.
  int64_t bn_bits = 12;      // Running statistics.
  int64_t forward_bits = 8;  // Outputs of layers.
  double overflow_rate = 0;  // The fraction of largest values that kLinear's scale may cut off.

  // InvalidArgument, naming the field, its value and the allowed ones.
  absl::Status Check() const;
};

// Quantizes the tensors of `state`, which alias a network's, in place. Integers (the counters of
// batch normalizations; published: they become NaN) stay as they are.
void QuantizeState(const base::TensorMap& state, const PostTrainingOptions& options);

// Quantizes, for as long as it lives, the outputs of the convolutions and batch normalizations of a
// network in evaluation mode: of those that stand in a sequential block of the published network,
// hence not of a factorized reduce's.
class OutputQuantizers {
 public:
  OutputQuantizers(torch::nn::Module& network, const PostTrainingOptions& options);
  ~OutputQuantizers();
  OutputQuantizers(const OutputQuantizers&) = delete;
  OutputQuantizers& operator=(const OutputQuantizers&) = delete;

  // Whether outputs are observed and pass as they are. kTanh has nothing to learn.
  void set_calibrating(bool calibrating) { calibrating_ = calibrating; }

  // Gives every rank the levels that all of them together have observed. FailedPrecondition naming
  // a layer that no rank has.
  absl::Status AgreeOnLevels(distributed::Communicator& communicator);

  struct Layer {
    std::string name;  // "cells.3._ops.5.bn1"
    base::OutputTap* tap;
    quant::CalibratedQuantizer quantizer;
  };
  const std::deque<Layer>& layers() const { return layers_; }

 private:
  void Add(torch::nn::Module& module, const std::string& name, const PostTrainingOptions& options);

  std::deque<Layer> layers_;  // Where taps find them: they never move.
  bool calibrating_ = false;
};

}  // namespace nas

#endif  // NAS_LEARNING_NETWORK_QUANTIZATION_H_
