// The operators of quant/quantizers.h as one library. They register as it is loaded.
#include "quant/quantizers.h"

// Without a use of the operators the linker would leave them out.
extern "C" __attribute__((visibility("default"))) bool nqdarts_needs_range(int bits) {
  return quant::NeedsRange({bits});
}
