#include "tests/golden/committed_vectors.h"

#include <vector>

#include "glog/logging.h"

namespace golden {

GoldenFile CommittedFile(const std::string& name) {
  const std::vector<GoldenFile> files = ListFolder(kCommittedVectors).value();
  for (const GoldenFile& listed : files) {
    if (listed.name == name) return Load(listed).value();
  }
  LOG(FATAL) << kCommittedVectors << " has no " << name;
}

}  // namespace golden
