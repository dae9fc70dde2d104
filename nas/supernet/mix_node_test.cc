#include "nas/supernet/mix_node.h"

#include <vector>

#include "ATen/Parallel.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/randn.h"
#include "base/multiversion.h"
#include "gtest/gtest.h"
#include "nas/supernet/edge_by_edge.h"
#include "nas/supernet/gradient_check.h"
#include "torch/csrc/autograd/autograd.h"

namespace nas {
namespace {

// Two edges of two operations each; one input is a view, as an identity's output is.
struct Inputs {
  at::Tensor operation_weights = at::rand({4}, at::kDouble);
  at::Tensor edge_weights = at::rand({2}, at::kDouble);
  std::vector<at::Tensor> operations, bypasses;

  explicit Inputs(int64_t k) {
    const auto state = [k] { return at::randn({2, 2 * k, 3, 5}, at::kDouble); };
    for (int i = 0; i < 4; ++i) operations.push_back(state().slice(1, 0, 2));
    for (int i = 0; i < 2; ++i) bypasses.push_back(state().slice(1, 2));
  }

  at::Tensor Mix() const { return MixNode(operation_weights, operations, edge_weights, bypasses); }
};

TEST(MixNodeTest, EqualsTheEdgeByEdgeFormula) {
  const Inputs in(4);
  const at::Tensor expected =
      MixEdgeByEdge(in.operation_weights, in.operations, in.edge_weights, in.bypasses);
  EXPECT_TRUE(in.Mix().allclose(expected, 1e-14, 1e-14));
}

TEST(MixNodeTest, GradientsAreThoseOfFiniteDifferences) {
  for (const int64_t k : {2, 4}) {
    const Inputs in(k);
    std::vector<at::Tensor> inputs = {in.operation_weights, in.edge_weights};
    inputs.insert(inputs.end(), in.operations.begin(), in.operations.end());
    inputs.insert(inputs.end(), in.bypasses.begin(), in.bypasses.end());
    EXPECT_LT(GradientError(inputs, [&in] { return in.Mix(); }), 1e-8) << "k " << k;
  }
}

TEST(MixNodeTest, EveryInstructionSetAndNumberOfThreadsGivesTheSameBits) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    // More than one task, and a rest that fills no lanes.
    const auto state = [dtype](int64_t channels) {
      return at::randn({3, channels, 63, 77}, dtype).requires_grad_();
    };
    const at::Tensor operation_weights = at::rand({3}, dtype).requires_grad_();
    const at::Tensor edge_weights = at::rand({2}, dtype).requires_grad_();
    const std::vector<at::Tensor> operations = {state(4), state(4), state(4)};
    const std::vector<at::Tensor> bypasses = {state(12), state(12)};
    const at::Tensor grad = at::randn({3, 16, 63, 77}, dtype);
    std::vector<at::Tensor> first;
    for (const base::InstructionSet set : base::InstructionSets()) {
      base::PinInstructionSet(set);
      for (const int threads : {1, 2, 5}) {
        at::set_num_threads(threads);
        const at::Tensor y = MixNode(operation_weights, operations, edge_weights, bypasses);
        std::vector<at::Tensor> results = torch::autograd::grad(
            {y}, {operation_weights, edge_weights, operations[1], bypasses[1]}, {grad});
        results.push_back(y.detach());
        if (first.empty()) first = results;
        for (size_t i = 0; i < results.size(); ++i) {
          EXPECT_TRUE(at::equal(results[i], first[i]))
              << base::InstructionSetName(set) << ", " << threads << " threads, result " << i;
        }
      }
    }
  }
  at::set_num_threads(1);
  base::PinInstructionSet(base::InstructionSets().back());
}

}  // namespace
}  // namespace nas
