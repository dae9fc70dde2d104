#include "nas/learning/sgd.h"

#include <cstddef>
#include <cstdint>

#include "ATen/ops/_foreach_add.h"
#include "ATen/ops/_foreach_mul.h"
#include "nas/learning/tensor_slices.h"

namespace nas {
namespace {

// What steps together.
struct Moving {
  std::vector<at::Tensor> parameters, gradients, buffers;
  std::vector<size_t> places;  // In the caller's lists.
};

void Step(const Moving& moving, const SgdOptions& options, double learning_rate, bool first_step,
          std::vector<at::Tensor>& buffers) {
  ForSlices(moving.parameters, [&](int64_t first, int64_t last) {
    const auto slice = [&](const std::vector<at::Tensor>& tensors) {
      return at::TensorList(tensors).slice(first, last - first);
    };
    const at::TensorList parameters = slice(moving.parameters);
    at::TensorList direction = slice(moving.gradients);
    std::vector<at::Tensor> decayed;
    if (options.weight_decay != 0) {
      decayed = at::_foreach_add(direction, parameters, options.weight_decay);
      direction = decayed;
    }
    if (options.momentum != 0 && first_step) {
      for (int64_t i = first; i < last; ++i) {
        // Not the gradient itself, which its owner may write to.
        const at::Tensor& start = direction[i - first];
        buffers[moving.places[i]] = options.weight_decay != 0 ? start : start.clone();
      }
    } else if (options.momentum != 0) {
      at::_foreach_mul_(slice(moving.buffers), options.momentum);
      at::_foreach_add_(slice(moving.buffers), direction);
      direction = slice(moving.buffers);
    }
    at::_foreach_add_(parameters, direction, -learning_rate);
  });
}

}  // namespace

void SgdStep(const std::vector<at::Tensor>& parameters, const SgdOptions& options,
             double learning_rate, std::vector<at::Tensor>& buffers) {
  Moving beginning, going_on;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& gradient = parameters[i].grad();
    if (!gradient.defined()) continue;
    Moving& moving = buffers[i].defined() ? going_on : beginning;
    moving.parameters.push_back(parameters[i]);
    moving.gradients.push_back(gradient);
    moving.buffers.push_back(buffers[i]);
    moving.places.push_back(i);
  }
  Step(beginning, options, learning_rate, /*first_step=*/true, buffers);
  Step(going_on, options, learning_rate, /*first_step=*/false, buffers);
}

}  // namespace nas
