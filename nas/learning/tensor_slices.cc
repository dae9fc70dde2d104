#include "nas/learning/tensor_slices.h"

#include "ATen/ThreadLocalState.h"
#include "ATen/core/LegacyTypeDispatch.h"
#include "base/parallel.h"

namespace nas {
namespace {

// Less is not worth another thread.
constexpr int64_t kTensorsPerTask = 32;

}  // namespace

void ForSlices(const std::vector<at::Tensor>& tensors,
               const std::function<void(int64_t first, int64_t last)>& body) {
  if (tensors.empty()) return;
  const int64_t count = tensors.size();
  if (!tensors.front().is_cpu()) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    body(0, count);
    return;
  }
  // Threads have the caller's state: who counts memory sees what they allocate.
  const at::ThreadLocalState state;
  base::ParallelFor(0, count, kTensorsPerTask, [&](int64_t first, int64_t last) {
    const at::ThreadLocalStateGuard callers(state);
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    body(first, last);
  });
}

}  // namespace nas
