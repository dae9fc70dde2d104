// Weights and gradients of whole networks in golden files, which name them as the published code
// does.
#ifndef TESTS_GOLDEN_GROUPS_NETWORK_WEIGHTS_H_
#define TESTS_GOLDEN_GROUPS_NETWORK_WEIGHTS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "base/tensor_file.h"
#include "nas/weights/published_names.h"
#include "tests/golden/frame/comparison.h"
#include "tests/golden/frame/golden_file.h"

namespace golden {

// The lines of the text tensor `key`.
std::vector<std::string> Lines(const GoldenFile& file, const std::string& key);

// What the manifest allows a quantity that is computed in float64 and stored in float32.
double Tolerance64(const GoldenFile& file, const std::string& quantity);

// The parameters of `state`, a network's parameters and buffers by our names, by published names.
std::map<std::string, at::Tensor> PublishedParameters(const base::TensorMap& state,
                                                      nas::PublishedStyle style);

// Gives every parameter the file's value: "param/<published name>", or the hash of "hash_seed".
// Buffers stay as constructed.
void SetWeights(const GoldenFile& file, const std::map<std::string, at::Tensor>& parameters);

// `file` in which the noise of the gradients of parameters that `of` names is at least `noise`.
GoldenFile WithNoise(GoldenFile file, const std::function<bool(const std::string&)>& of,
                     double noise);

// What a search weighs its complexity with. The tensor "cd" is that, rounded to float32: where the
// gradients of loss and complexity all but cancel, as of some logits over bits, that would be
// 1e-6 of their sum.
inline double ComplexityDecay(const GoldenFile& file) { return file.Config("cd"); }

// Compares the norm of each parameter's gradient, computed in float64, with "gradnorm64", within
// what "gradnoise64" says; both in the order of "grad_names".
void CheckGradientNorms(const GoldenFile& file, const std::map<std::string, at::Tensor>& parameters,
                        Comparison& comparison);

}  // namespace golden

#endif  // TESTS_GOLDEN_GROUPS_NETWORK_WEIGHTS_H_
