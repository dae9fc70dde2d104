// Which build a result comes from.
#ifndef BASE_BUILD_ID_H_
#define BASE_BUILD_ID_H_

#include <string>

namespace base {

// The running executable's GNU build id in hex: the linker's hash of its code and data, so that
// equal ids mean equal binaries without a stamp in any of them. "unknown" if it was linked without
// one.
std::string BuildId();

}  // namespace base

#endif  // BASE_BUILD_ID_H_
