#include "base/arithmetic.h"

#include <dlfcn.h>

#include <cstdlib>

#include "ATen/Parallel.h"
#include "ATen/Version.h"
#include "absl/strings/str_cat.h"

namespace base {
namespace {

// Read by the libraries when they are first used; those of the left column win over their older
// names (DNNL_MAX_CPU_ISA).
constexpr const char* kEnvironment[][2] = {
    {"ATEN_CPU_CAPABILITY", "avx2"},          {"MKL_CBWR", "COMPATIBLE"},
    {"ONEDNN_MAX_CPU_ISA", "AVX2"},           {"ONEDNN_CPU_ISA_HINTS", "NO_HINTS"},
    {"ONEDNN_DEFAULT_FPMATH_MODE", "STRICT"},
};

constexpr int kCompatible = 3;  // mkl_types.h: MKL_CBWR_COMPATIBLE
constexpr int kAllSettings = ~0;

bool reproducible = false;

// mkl_cbwr_get(MKL_CBWR_ALL) of the MKL within LibTorch, which has no header here; -1 if it is not
// there.
int MklMode() {
  const auto get = reinterpret_cast<int (*)(int)>(dlsym(RTLD_DEFAULT, "mkl_serv_cbwr_get"));
  return get == nullptr ? -1 : get(kAllSettings);
}

}  // namespace

absl::Status UseReproducibleArithmetic() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return absl::FailedPreconditionError("reproducible arithmetic needs AVX2 and FMA");
  }
  for (const auto& [name, value] : kEnvironment) setenv(name, value, /*replace=*/1);
  at::set_num_threads(1);
  if (const std::string capability = at::get_cpu_capability(); capability != "AVX2") {
    return absl::FailedPreconditionError(
        absl::StrCat("reproducible arithmetic: ATen has chosen ", capability, " already"));
  }
  if (MklMode() != kCompatible) {
    return absl::FailedPreconditionError(
        absl::StrCat("reproducible arithmetic: MKL is in mode ", MklMode(), " already"));
  }
  reproducible = true;
  return absl::OkStatus();
}

std::string DescribeArithmetic() {
  const int threads = at::get_num_threads();
  const std::string in_threads = absl::StrCat(threads, threads == 1 ? " thread" : " threads");
  if (reproducible) {
    return absl::StrCat("reproducible: MKL COMPATIBLE, ATen AVX2, oneDNN AVX2, ", in_threads);
  }
  return absl::StrCat("of this processor: MKL mode ", MklMode(), ", ATen ",
                      at::get_cpu_capability(), ", ", in_threads);
}

}  // namespace base
