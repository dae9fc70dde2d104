// A packed network as an ONNX model, for onnxruntime and whoever else reads ONNX.
//
// Weights are uint2, uint4, uint8 or int8 tensors. Convolutions compute on levels, so that their
// sums are integers, and scale them once:
//
//   x → QuantizeLinear(step) → Clip(low, high) → DequantizeLinear(1) ┐
//   weights → DequantizeLinear(1) [→ − 0.5, where a level q means q + ½] → Conv → scale → y
//
// The input is "image", float [N, 3, height, width], the output "logits" [N, classes]; N is 1 in
// QONNX. Classes,
// architecture and the normalization of the input are in the model's metadata.
#ifndef QUANT_ONNX_ONNX_NETWORK_H_
#define QUANT_ONNX_ONNX_NETWORK_H_

#include <string>

#include "absl/status/statusor.h"
#include "quant/runtime/packed_network.h"

namespace quant::onnx {

enum class OnnxDialect {
  kOnnx,   // Opset 21; 25 if weights have 1 or 2 bits, for uint2.
  kQonnx,  // Opset 21 with QONNX's Quant and BipolarQuant on floats: odd integers times s/2.
};

struct OnnxOptions {
  OnnxDialect dialect = OnnxDialect::kOnnx;
  // Scales and normalizes sums of levels in float64 and rounds them once, as the runtime does it,
  // and sums what has no levels in float64, too (as a product of matrices); so levels are the same.
  // Else in float32, where a few of them differ, of an image in a hundred or so.
  bool doubles = true;
  // The input is "pixels", uint8 [N, 3, height, width], and the graph normalizes it.
  bool include_preprocessing = false;
};

// The model's bytes. InvalidArgument as from CheckNetwork.
absl::StatusOr<std::string> OnnxBytesOf(const runtime::PackedNetwork& network,
                                        const OnnxOptions& options);

}  // namespace quant::onnx

#endif  // QUANT_ONNX_ONNX_NETWORK_H_
