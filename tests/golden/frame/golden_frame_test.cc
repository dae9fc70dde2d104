// The frame of the checker: it passes what is right, fails what is wrong, unknown or unreadable.

#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/tensor.h"
#include "base/file.h"
#include "base/tensor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/golden/frame/comparison.h"
#include "tests/golden/frame/golden_file.h"
#include "tests/golden/frame/hash_init.h"
#include "tests/golden/frame/registry.h"

namespace golden {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ComparisonTest, ErrorsAreRelativeToTheLargestElement) {
  Comparison comparison;
  comparison.Near("a", at::tensor({100.0, 1.0}), at::tensor({100.0, 0.0}), 1e-3);
  EXPECT_THAT(comparison.failures(), testing::SizeIs(1));
  EXPECT_DOUBLE_EQ(comparison.worst().error, 0.01);
  comparison.NearL2("b", at::tensor({3.0, 4.5}), at::tensor({3.0, 4.0}), 1e-3);
  EXPECT_DOUBLE_EQ(comparison.worst().error, 0.1);
  EXPECT_EQ(comparison.worst().what, "b");
}

TEST(ComparisonTest, NonFiniteElementsMustBeAlike) {
  Comparison comparison;
  const at::Tensor expected = at::tensor({kNan, kInfinity, 1.0});
  comparison.Near("same", expected, expected, 0);
  EXPECT_TRUE(comparison.failures().empty());
  for (const at::Tensor& actual :
       {at::tensor({0.0, kInfinity, 1.0}), at::tensor({kNan, -kInfinity, 1.0}),
        at::tensor({kNan, kInfinity, kNan}), at::tensor({kNan, kInfinity})}) {
    Comparison other;
    other.Near("different", actual, expected, 1e-3);
    EXPECT_EQ(other.failures().size(), 1);
  }
}

TEST(ComparisonTest, WideTolerancesDecideNothing) {
  Comparison comparison;
  comparison.Near("noisy", 1.0, 2.0, Tolerance(/*noise=*/0.1, /*floor=*/1e-6));
  EXPECT_EQ(comparison.count(), 0);
  EXPECT_EQ(comparison.undecided(), 1);
  EXPECT_EQ(Tolerance(1e-9, 1e-6), 1e-6);
  EXPECT_EQ(ElementTolerance(1), 1e-5);
}

// Values of an independent implementation of the manifest's formula.
TEST(HashInitTest, FollowsTheFormula) {
  const at::Tensor weight = HashParameter("a.weight", 3, {2, 3, 2, 2});
  EXPECT_EQ(weight[0][0][0][0].item<float>(), -0.17662161588668823f);
  EXPECT_EQ(weight[0][0][0][1].item<float>(), -0.11327391862869263f);
  EXPECT_EQ(HashParameter("bn.weight", 3, {4})[1].item<float>(), 0.929093599319458f);
  EXPECT_EQ(HashParameter("bn.bias", 3, {4})[1].item<float>(), 0.07504582405090332f);
  EXPECT_EQ(HashInput("input", 1500, {3})[2].item<float>(), -1.6374863386154175f);
  EXPECT_THROW(HashParameter("running_mean", 3, {4}), c10::Error);
}

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    Write("manifest.json", R"({"files": [{"file": "good_1.pt", "config": {"seed": 5}},
                                         {"file": "bad_1.pt"}, {"file": "odd.pt"},
                                         {"file": "missing_1.pt"}],
                               "json_tables": ["table.json"]})");
    Write("table.json", R"({"answer": 42})");
    for (const char* name : {"good_1.pt", "bad_1.pt", "odd.pt"}) {
      EXPECT_TRUE(base::WriteTensorFile(folder_ + "/" + name, {{"x", at::tensor({1.0})}}).ok());
    }
  }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::WriteFileAtomically(folder_ + "/" + name, text).ok());
  }

  std::string folder_ = std::getenv("TEST_TMPDIR");
};

TEST_F(FolderTest, PassesFailsAndCounts) {
  const std::vector<Group> groups = {
      {"good_.*\\.pt|bad_.*\\.pt|missing_.*\\.pt",
       [](const GoldenFile& file, Comparison& comparison) {
         comparison.Near("x", file.Tensor("x"), at::tensor({1.0}), 0);
         comparison.Equal("seed", file.Config("seed").get<int>(), 5);
       }},
      {"table\\.json", [](const GoldenFile& file, Comparison& comparison) {
         comparison.Equal("answer", file.table.at("answer").get<int>(), 42);
       }}};
  const auto files = ListFolder(folder_);
  ASSERT_TRUE(files.ok()) << files.status();
  std::ostringstream out;
  EXPECT_EQ(CheckFiles(*files, groups, /*only=*/"", out), 3);
  EXPECT_THAT(out.str(), HasSubstr("2 passed, 3 failed"));
  EXPECT_THAT(out.str(), HasSubstr("its config has no seed"));
  EXPECT_THAT(out.str(), HasSubstr("unknown group"));
  EXPECT_THAT(out.str(), HasSubstr("missing_1.pt"));
  EXPECT_EQ(CheckFiles(*files, groups, /*only=*/"good", out), 0);
}

TEST_F(FolderTest, BadManifestsAreErrorsThatNameThem) {
  for (const char* text : {"not json", R"({"files": [{}]})"}) {
    Write("manifest.json", text);
    EXPECT_THAT(std::string(ListFolder(folder_).status().message()), HasSubstr("manifest.json"));
  }
}

}  // namespace
}  // namespace golden
