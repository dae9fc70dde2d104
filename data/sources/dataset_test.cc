#include "data/sources/dataset.h"

#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "data/codec/test_images.h"
#include "data/sources/folder_dataset.h"
#include "data/sources/test_datasets.h"
#include "gtest/gtest.h"

namespace data {
namespace {

TEST(DatasetTest, FingerprintTellsContentsApartNotPaths) {
  std::vector<Bytes> jpegs;
  for (int i = 0; i < 7; ++i) jpegs.push_back(MakeJpeg(16, 8, i));
  const uint64_t fingerprint = *JpegDataset(jpegs).Fingerprint();
  EXPECT_EQ(*JpegDataset(jpegs).Fingerprint(), fingerprint);
  for (size_t i = 0; i < jpegs.size(); ++i) {
    std::vector<Bytes> other = jpegs;
    other[i].back() ^= 1;
    EXPECT_NE(*JpegDataset(other).Fingerprint(), fingerprint) << i;
  }
  std::vector<Bytes> swapped = jpegs;
  std::swap(swapped[0], swapped[2]);  // Of the same class.
  EXPECT_NE(*JpegDataset(swapped).Fingerprint(), fingerprint);
  swapped.pop_back();
  EXPECT_NE(*JpegDataset(swapped).Fingerprint(), fingerprint);
}

TEST(DatasetTest, FingerprintOfACopyElsewhereIsTheSame) {
  std::vector<uint64_t> fingerprints;
  for (const std::string place : {"here", "there"}) {
    const std::string root = absl::StrCat(getenv("TEST_TMPDIR"), "/", place);
    for (const std::string name : {"cat", "dog"}) {
      const Bytes jpeg = MakeJpeg(16, 8, name.size() + name[0]);
      ASSERT_TRUE(base::MakeFolder(root + "/" + name).ok());
      ASSERT_TRUE(base::WriteFileAtomically(root + "/" + name + "/1.jpg",
                                            std::string(jpeg.begin(), jpeg.end()))
                      .ok());
    }
    fingerprints.push_back(*(*FolderDataset::Open(root))->Fingerprint());
  }
  EXPECT_EQ(fingerprints[0], fingerprints[1]);
}

}  // namespace
}  // namespace data
