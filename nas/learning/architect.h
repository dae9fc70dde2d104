// Gradients of the architecture (alphas and betas): the upper level of DARTS' bilevel problem
// (arXiv:1806.09055), first order and second order, as in QDARTS/architect.py.
//
// Neither knows of ranks: whoever averages gradients over ranks passes a function that does. Losses
// are means over the batch; with averaging, N ranks compute what one rank computes on the union of
// their batches, since everything nonlinear in a gradient (the look-ahead step, the length of the
// finite difference) is computed from averaged ones.
//
//   ASSIGN_OR_RETURN(auto gradients, FirstOrderGradients(search_loss, architecture, average));
//   for (size_t i = 0; i < gradients.size(); ++i) architecture[i].mutable_grad() = gradients[i];
//   torch::nn::utils::clip_grad_norm_(architecture, 5);  // ImageNet
//   optimizer.Step(6e-4);
#ifndef NAS_LEARNING_ARCHITECT_H_
#define NAS_LEARNING_ARCHITECT_H_

#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace nas {

// Computes a loss, a scalar, on a fixed batch with the parameters as they are; builds the graph.
using LossFunction = std::function<at::Tensor()>;

// Replaces `gradients` of `parameters` by their means over all ranks; an undefined one counts as
// zero. A single rank passes one that does nothing.
using AverageFunction = std::function<absl::Status(absl::Span<const at::Tensor> parameters,
                                                   absl::Span<at::Tensor> gradients)>;

// d search_loss / d architecture at the current weights, averaged; undefined for a parameter that
// the loss does not depend on.
absl::StatusOr<std::vector<at::Tensor>> FirstOrderGradients(
    const LossFunction& search_loss, const std::vector<at::Tensor>& architecture,
    const AverageFunction& average);

// What second order needs beside the search loss.
struct LookAhead {
  LossFunction train_loss;            // Without a complexity term.
  std::vector<at::Tensor> variables;  // Weights and gammas: what training steps.
  // Their momentum buffers in SGD; undefined, or none at all, before its first step.
  std::vector<at::Tensor> momentum_buffers = {};
  // Running statistics; the look-ahead network's forward pass leaves no trace in them, the three
  // others at, or next to, the current weights do.
  std::vector<at::Tensor> buffers = {};
  double learning_rate = 0;  // xi: the weights' current one.
  double momentum = 0;       // The weights' SGD's, for gammas too.
  double weight_decay = 0;   // The weights' SGD's, for gammas too.
};

// d search_loss / d architecture at w' = w - xi (momentum * buffer + dL_train/dw + weight_decay *
// w), minus xi times the Hessian-vector product of L_train by finite differences: (dL_train(w + R
// v)/d architecture - dL_train(w - R v)/d architecture) / (2 R) with v = dL_search(w')/dw and R =
// 0.01 / |v|. Averaged; undefined as above. The variables step in place and are back, bit for bit,
// when this returns, also with an error.
absl::StatusOr<std::vector<at::Tensor>> SecondOrderGradients(
    const LossFunction& search_loss, const std::vector<at::Tensor>& architecture,
    const LookAhead& look_ahead, const AverageFunction& average);

}  // namespace nas

#endif  // NAS_LEARNING_ARCHITECT_H_
