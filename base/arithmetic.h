// Which of their paths the libraries compute on. LibTorch, MKL and oneDNN pick one by processor and
// by environment, and each path adds in another order, so that float results differ in their last
// bits and, where a value lies on a step of a quantizer, in more.
//
//   RETURN_IF_ERROR(UseReproducibleArithmetic());   // before the first tensor
//   log->AddLine(DescribeArithmetic());
#ifndef BASE_ARITHMETIC_H_
#define BASE_ARITHMETIC_H_

#include <string>

#include "absl/status/status.h"

namespace base {

// From now on this process computes, on the CPU, the same bits on every x86-64 processor with AVX2
// and FMA, whatever its environment says: MKL in its COMPATIBLE mode, ATen's and oneDNN's code for
// AVX2 (on the processors that have more, too), float32 nowhere replaced by less, in one thread.
// FailedPrecondition, naming the library, if one has chosen otherwise already or the processor
// lacks AVX2 or FMA.
absl::Status UseReproducibleArithmetic();

// What this process computes with, in a line for people: "reproducible: MKL COMPATIBLE, ATen AVX2,
// oneDNN AVX2, 1 thread".
std::string DescribeArithmetic();

}  // namespace base

#endif  // BASE_ARITHMETIC_H_
