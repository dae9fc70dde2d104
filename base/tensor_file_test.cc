#include "base/tensor_file.h"

#include <stdlib.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string TestPath(const std::string& name) {
  return std::string(getenv("TEST_TMPDIR")) + "/" + name;
}

// A file that Python wrote; make.py beside it shows how.
std::string PythonFile(const std::string& name) { return "base/testdata/" + name; }

absl::StatusOr<TensorMap> ReadBytes(const std::string& bytes) {
  const std::string path = TestPath("bytes.pt");
  EXPECT_TRUE(WriteFileAtomically(path, bytes).ok());
  return ReadTensorFile(path);
}

std::vector<std::string> Names(const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

TEST(TensorFileTest, RoundTripKeepsNamesShapesDtypesAndValues) {
  TensorMap tensors;
  tensors["a.weight"] = at::arange(6, at::kFloat).reshape({2, 3});
  tensors["sliced"] = at::arange(10, at::kLong).slice(0, 2, 5);
  tensors["transposed"] = at::arange(6, at::kDouble).reshape({2, 3}).t();
  tensors["empty"] = at::arange(0, at::kBFloat16);
  tensors["scalar"] = at::arange(1, at::kInt).to(at::kBool).squeeze();
  const std::string path = TestPath("tensors.pt");
  ASSERT_TRUE(WriteTensorFile(path, tensors).ok());
  const auto read = ReadTensorFile(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(Names(*read), Names(tensors));
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read->at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read->at(name), tensor)) << name;
  }
}

TEST(TensorFileTest, NotesStandBesideTheTensors) {
  const TensorMap tensors = {{"weight", at::arange(3, at::kFloat)}};
  const TensorFileNotes notes = {{"empty", ""}, {"folder/name", std::string("a\0b", 3)}};
  const std::string path = TestPath("notes.pt");
  ASSERT_TRUE(WriteTensorFile(path, tensors, notes).ok());
  TensorFileNotes read;
  const auto with_notes = ReadTensorFile(path, &read);
  ASSERT_TRUE(with_notes.ok()) << with_notes.status();
  EXPECT_EQ(read, notes);
  EXPECT_THAT(Names(*with_notes), ElementsAre("weight"));
  ASSERT_TRUE(ReadTensorFile(PythonFile("state_dict_zip.pt"), &read).ok());
  EXPECT_TRUE(read.empty());
}

TEST(TensorFileTest, ReadsStateDictsOfBothFormats) {
  for (const char* name : {"state_dict_zip.pt", "state_dict_legacy.pt"}) {
    const auto read = ReadTensorFile(PythonFile(name));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_THAT(Names(*read), ElementsAre("0.weight", "1.bias", "1.num_batches_tracked",
                                          "1.running_mean", "1.running_var", "1.weight"));
    EXPECT_TRUE(at::equal(read->at("0.weight"), at::arange(18, at::kFloat).reshape({2, 1, 3, 3})));
    EXPECT_EQ(read->at("1.num_batches_tracked").item<int64_t>(), 0);
  }
}

TEST(TensorFileTest, TensorsOfACheckpointAreNamedByTheirPath) {
  for (const char* name : {"checkpoint_zip.pt", "checkpoint_legacy.pt"}) {
    const auto read = ReadTensorFile(PythonFile(name));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_THAT(
        Names(*read),
        ElementsAre("optimizer/state/0/momentum_buffer", "optimizer/state/1/momentum_buffer",
                    "optimizer/state/2/momentum_buffer", "state_dict/module.0.weight",
                    "state_dict/module.1.bias", "state_dict/module.1.num_batches_tracked",
                    "state_dict/module.1.running_mean", "state_dict/module.1.running_var",
                    "state_dict/module.1.weight"));
    EXPECT_EQ(read->at("state_dict/module.1.num_batches_tracked").item<int64_t>(), 1);
  }
}

TEST(TensorFileTest, ViewsOfOneStorageAreReadAsSuch) {
  for (const char* name : {"views_zip.pt", "views_legacy.pt", "views_protocol4.pt"}) {
    const auto read = ReadTensorFile(PythonFile(name));
    ASSERT_TRUE(read.ok()) << read.status();
    const at::Tensor whole = at::arange(12, at::kLong);
    EXPECT_TRUE(at::equal(read->at("whole"), whole));
    EXPECT_TRUE(at::equal(read->at("column"), whole.reshape({3, 4}).select(1, 1)));
    EXPECT_TRUE(at::equal(read->at("transposed"), whole.reshape({3, 4}).t()));
    EXPECT_EQ(read->at("scalar").item<int64_t>(), 5);
    EXPECT_EQ(read->at("empty").numel(), 0);
    EXPECT_EQ(read->at("parameter").item<float>(), 1.5f);
    EXPECT_TRUE(read->at("whole").is_alias_of(read->at("column")));
  }
}

TEST(TensorFileTest, ReadsEveryDtype) {
  const auto read = ReadTensorFile(PythonFile("dtypes_zip.pt"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->size(), 10);
  EXPECT_EQ(read->at("bfloat16").scalar_type(), at::kBFloat16);
  for (const auto& [name, tensor] : *read) {
    const double last = name == "bool" ? 1 : 3;
    EXPECT_EQ(tensor.to(at::kDouble).sum().item<double>(), 1 + last) << name;
  }
}

TEST(TensorFileTest, OtherContentsAreInvalid) {
  const auto error = [](const char* name) {
    const absl::Status status = ReadTensorFile(PythonFile(name)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(error("list.pt"), HasSubstr("list.pt: holds no dict of named tensors"));
  EXPECT_THAT(error("no_tensors.pt"), HasSubstr("holds a dict without tensors"));
  EXPECT_THAT(error("sparse.pt"), HasSubstr("'w' is a tensor of a kind not supported"));
  EXPECT_THAT(error("make.py"), HasSubstr("is no file of torch.save"));
}

TEST(TensorFileTest, EveryTruncationIsAnErrorThatNamesTheFile) {
  for (const char* name : {"state_dict_zip.pt", "state_dict_legacy.pt"}) {
    const std::string bytes = *ReadFile(PythonFile(name));
    for (size_t size = 0; size < bytes.size(); ++size) {
      const absl::Status status = ReadBytes(bytes.substr(0, size)).status();
      EXPECT_FALSE(status.ok()) << name << " cut to " << size;
      EXPECT_THAT(std::string(status.message()), HasSubstr("bytes.pt: "));
    }
  }
}

// A dict of the one below, twice, 30 deep: 2^30 paths to one object in a few hundred bytes.
TEST(TensorFileTest, SharedObjectsAreNotMetWithoutEnd) {
  std::string nested =
      "\x80\x02}q\x01"
      "0";
  for (int i = 0; i < 30; ++i) {
    nested +=
        "}(U\x01"
        "ah\x01U\x01"
        "bh\x01uq\x01"
        "0";
  }
  nested += "h\x01.";
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const std::string version = "\x80\x02M\xe9\x03.", machine = "\x80\x02}.", keys = "\x80\x02].";
  const absl::Status status = ReadBytes(magic + version + machine + nested + keys).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("nests without an end"));
}

// deflated.pt: a pickle of 4 MB in an archive of 4 kB, as torch.save writes none.
TEST(TensorFileTest, ARecordLargerThanItsArchiveIsNotUnpacked) {
  const absl::Status status = ReadTensorFile(PythonFile("deflated.pt")).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("deflated.pt: record 'data.pkl' is larger than its archive"));
}

TEST(TensorFileTest, FlippedBitsNeverCrash) {
  std::mt19937 random(1);
  for (const char* name : {"checkpoint_zip.pt", "checkpoint_legacy.pt", "views_protocol4.pt"}) {
    const std::string bytes = *ReadFile(PythonFile(name));
    for (int i = 0; i < 2000; ++i) {
      std::string flipped = bytes;
      for (int flips = 1 + i % 3; flips > 0; --flips) {
        flipped[random() % bytes.size()] ^= 1 << random() % 8;
      }
      const auto read = ReadBytes(flipped);
      if (!read.ok()) continue;
      // What was accepted can be used.
      for (const auto& [path, tensor] : *read) EXPECT_GE(tensor.nbytes(), 0u) << path;
    }
  }
}

}  // namespace
}  // namespace base
