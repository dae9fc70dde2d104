// The golden vectors kept with the tests (select_vectors.py).
#ifndef TESTS_GOLDEN_COMMITTED_VECTORS_H_
#define TESTS_GOLDEN_COMMITTED_VECTORS_H_

#include <string>

#include "tests/golden/frame/golden_file.h"

namespace golden {

inline constexpr char kCommittedVectors[] = "tests/golden/vectors";

// The file of that name, loaded, with its entry of the manifest. Dies if there is none.
GoldenFile CommittedFile(const std::string& name);

}  // namespace golden

#endif  // TESTS_GOLDEN_COMMITTED_VECTORS_H_
