// An image through the steps of a plan.
#ifndef QUANT_RUNTIME_IMAGE_RUN_H_
#define QUANT_RUNTIME_IMAGE_RUN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "quant/runtime/packed_network.h"
#include "quant/runtime/plan.h"

namespace quant::runtime {

class ImageRun {
 public:
  using Observer = std::function<void(const Node& conv, const Shape& shape, const int16_t* levels)>;

  // `memory` is the workspace, with the image in it. The observer, which may be null, learns the
  // input of every convolution on integers. All outlive it.
  ImageRun(const PackedNetwork& network, const Plan& plan, uint8_t* memory,
           const Observer* observer)
      : network_(network), plan_(plan), memory_(memory), observer_(observer) {}

  void Run();

 private:
  template <typename T>
  T* At(int64_t offset) const {
    return reinterpret_cast<T*>(memory_ + offset);
  }
  template <typename T>
  T* In(int32_t buffer) const {
    return At<T>(plan_.buffers[buffer].offset);
  }

  void RunStep(const Step& step);
  // Row y of the source in float: where it is stored, or computed into `row`.
  const float* FloatRow(const Step& step, const Source& source, int64_t y, float* row);
  void ConcatRow(const Step& step, int64_t y, float* row) const;
  void MeanRow(const Source& source, float* row) const;
  void LinearRow(const Source& source, float* row) const;
  // Leaves row y of a convolution's sums in Plan::sums.
  void ComputeSums(const Source& source, int64_t y);
  void ConvRow(const ConvPlan& conv, const uint8_t* input, int64_t y) const;
  void FinishSums(const ConvPlan& conv, float* row) const;
  // Stores row y as the target says: of floats, or of the sums of a convolution.
  void Store(const Target& target, const Shape& shape, const float* row, int64_t y) const;
  // `count` rows of a convolution's input; tells the observer of the last ones.
  void Observe(const ConvPlan& conv, const uint8_t* rows, int64_t count);

  const PackedNetwork& network_;
  const Plan& plan_;
  uint8_t* const memory_;
  const Observer* const observer_;
  std::map<int32_t, std::vector<int16_t>> observed_;  // So far, by node.
};

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_IMAGE_RUN_H_
