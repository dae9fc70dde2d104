#include "base/tensor_file.h"

#include <stdlib.h>

#include <string>

#include "ATen/ops/arange.h"
#include "ATen/ops/equal.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace base {
namespace {

using ::testing::HasSubstr;

std::string TestPath(const std::string& name) {
  return std::string(getenv("TEST_TMPDIR")) + "/" + name;
}

TEST(TensorFileTest, RoundTripKeepsNamesShapesDtypesAndValues) {
  TensorMap tensors;
  tensors["a.weight"] = at::arange(6, at::kFloat).reshape({2, 3});
  tensors["sliced"] = at::arange(10, at::kLong).slice(0, 2, 5);
  tensors["transposed"] = at::arange(6, at::kDouble).reshape({2, 3}).t();
  const std::string path = TestPath("tensors.pt");
  ASSERT_TRUE(WriteTensorFile(path, tensors).ok());
  const auto read = ReadTensorFile(path);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read->at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read->at(name), tensor)) << name;
  }
}

TEST(TensorFileTest, DamageIsAnErrorThatNamesTheFile) {
  const std::string path = TestPath("cut.pt");
  ASSERT_TRUE(WriteTensorFile(path, {{"a", at::arange(100, at::kFloat)}}).ok());
  const std::string bytes = *ReadFile(path);
  for (const size_t size : {size_t{0}, size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
    ASSERT_TRUE(WriteFileAtomically(path, bytes.substr(0, size)).ok());
    const absl::Status status = ReadTensorFile(path).status();
    EXPECT_FALSE(status.ok()) << size;
    EXPECT_THAT(std::string(status.message()), HasSubstr("cut.pt"));
  }
}

}  // namespace
}  // namespace base
