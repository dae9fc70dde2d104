// This test is linked with :reproducible_process, as all that use LibTorch are. It runs itself
// again in environments in which the libraries take the paths of other processors.

#include "base/arithmetic.h"

#include <stdio.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/exp.h"
#include "ATen/ops/log_softmax.h"
#include "ATen/ops/randn.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "torch/csrc/autograd/autograd.h"

namespace base {
namespace {

// FNV-1a of the bytes.
uint64_t Hash(const at::Tensor& tensor, uint64_t hash) {
  const at::Tensor bytes = tensor.detach().reshape(-1).contiguous().view(at::kByte);
  const uint8_t* data = bytes.const_data_ptr<uint8_t>();
  for (int64_t i = 0; i < bytes.numel(); ++i) hash = (hash ^ data[i]) * 0x100000001b3;
  return hash;
}

// Forward and backward of what networks are made of: convolutions (dense, 1x1, depthwise), matrix
// products, sums and functions.
uint64_t HashOfResults(at::ScalarType type) {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const auto random = [&](at::IntArrayRef shape) {
    return at::randn(shape, generator, type).requires_grad_();
  };
  const at::Tensor x = random({9, 24, 19, 19}), dense = random({32, 24, 3, 3}),
                   pointwise = random({40, 32, 1, 1}), depthwise = random({40, 1, 5, 5}),
                   matrix = random({40, 37});
  at::Tensor y = at::conv2d(x, dense);
  y = at::conv2d(y, pointwise);
  y = at::conv2d(y, depthwise, /*bias=*/{}, /*stride=*/at::IntArrayRef{1, 1},
                 /*padding=*/at::IntArrayRef{0, 0}, /*dilation=*/at::IntArrayRef{1, 1},
                 /*groups=*/40);
  y = y / y.std();
  const at::Tensor loss =
      at::log_softmax(at::exp(y.mean(at::IntArrayRef{2, 3})).matmul(matrix), 1).square().sum();
  uint64_t hash = Hash(loss, 0xcbf29ce484222325);
  for (const at::Tensor& grad :
       torch::autograd::grad({loss}, {x, dense, pointwise, depthwise, matrix})) {
    hash = Hash(grad, hash);
  }
  return hash;
}

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  for (int c; (c = fgetc(pipe)) != EOF;) output.push_back(static_cast<char>(c));
  EXPECT_EQ(pclose(pipe), 0) << command;
  const size_t begin = output.find("results ");
  if (begin == std::string::npos) return output;
  return output.substr(begin, output.find('\n', begin) + 1 - begin);
}

TEST(ArithmeticTest, SaysWhatComputes) {
  EXPECT_EQ(DescribeArithmetic(), "reproducible: MKL COMPATIBLE, ATen AVX2, oneDNN AVX2, 1 thread");
  at::set_num_threads(2);
  EXPECT_EQ(DescribeArithmetic(),
            "reproducible: MKL COMPATIBLE, ATen AVX2, oneDNN AVX2, 2 threads");
  at::set_num_threads(1);
}

TEST(ArithmeticTest, TheEnvironmentDoesNotMatter) {
  const std::string expected =
      absl::StrCat("results ", HashOfResults(at::kFloat), " ", HashOfResults(at::kDouble), "\n");
  char path[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
  const std::string child = absl::StrCat(
      "'", path,
      "' --gtest_also_run_disabled_tests --gtest_filter=ArithmeticTest.DISABLED_PrintsResults");
  for (const char* environment :
       {"", "ATEN_CPU_CAPABILITY=default MKL_CBWR=AVX2 OMP_NUM_THREADS=3 MKL_NUM_THREADS=3",
        "ATEN_CPU_CAPABILITY=avx512 MKL_CBWR=AVX512 ONEDNN_MAX_CPU_ISA=AVX512_CORE",
        "MKL_ENABLE_INSTRUCTIONS=SSE4_2 ONEDNN_MAX_CPU_ISA=SSE41 DNNL_MAX_CPU_ISA=SSE41",
        "MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_DEFAULT_FPMATH_MODE=BF16"}) {
    EXPECT_EQ(OutputOf(absl::StrCat(environment, " ", child)), expected) << environment;
  }
}

TEST(ArithmeticTest, DISABLED_PrintsResults) {
  printf("results %llu %llu\n", static_cast<unsigned long long>(HashOfResults(at::kFloat)),
         static_cast<unsigned long long>(HashOfResults(at::kDouble)));
}

}  // namespace
}  // namespace base
