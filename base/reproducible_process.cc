// Linked into a program, this makes its arithmetic reproducible (base/arithmetic.h) before main().

#include "base/arithmetic.h"
#include "glog/logging.h"

namespace base {
namespace {

const bool fixed = [] {
  const absl::Status status = UseReproducibleArithmetic();
  if (!status.ok()) LOG(FATAL) << status.message();
  return true;
}();

}  // namespace
}  // namespace base
