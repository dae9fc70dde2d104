// A layer whose output can be replaced by a function of it: the way of post-training quantization
// into networks that know nothing of it.
//
//   for (const auto& module : network.modules()) {
//     if (auto* tap = dynamic_cast<base::OutputTap*>(module.get())) tap->set_output_tap(quantize);
//   }
#ifndef BASE_OUTPUT_TAP_H_
#define BASE_OUTPUT_TAP_H_

#include <functional>
#include <utility>

#include "ATen/core/Tensor.h"

namespace base {

class OutputTap {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&)>;

  // An empty function lets the output through as it is.
  void set_output_tap(Function tap) { tap_ = std::move(tap); }
  bool has_output_tap() const { return tap_ != nullptr; }

 protected:
  ~OutputTap() = default;
  at::Tensor Tapped(at::Tensor output) const { return tap_ ? tap_(output) : output; }

 private:
  Function tap_;
};

}  // namespace base

#endif  // BASE_OUTPUT_TAP_H_
