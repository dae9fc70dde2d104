// A packed network that runs: integer convolutions where the network has bits, float where it has
// none; no LibTorch.
//
//   ASSIGN_OR_RETURN(const auto network, quant::runtime::Network::Load("digits.nqn"));
//   std::vector<float> logits(network->num_classes());
//   network->RunPixels(rgb, 1, absl::MakeSpan(logits));
#ifndef QUANT_RUNTIME_NETWORK_H_
#define QUANT_RUNTIME_NETWORK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "quant/runtime/packed_network.h"
#include "quant/runtime/plan.h"

namespace quant::runtime {

// All methods may be called from several threads at once. A call computes in the caller's thread,
// an image at a time, in a workspace that it takes from the network's own; so memory is allocated
// only when more calls run at once than ever before.
class Network {
 public:
  // Errors as from ReadPackedNetwork and MakePlan, naming the path.
  static absl::StatusOr<std::unique_ptr<Network>> Load(const std::string& path);
  static absl::StatusOr<std::unique_ptr<Network>> Create(PackedNetwork network);
  ~Network();

  // Classes, size and preparation of the input, architecture; nodes without their weights.
  const PackedNetwork& description() const { return description_; }
  int64_t num_classes() const { return description_.classes.size(); }
  int64_t image_size() const { return int64_t{3} * description_.height * description_.width; }
  // Of an image's values while it is computed; and of the weights, which all calls share.
  int64_t workspace_bytes() const { return plan_.workspace_bytes; }
  int64_t weight_bytes() const { return plan_.weight_bytes; }

  // images: count images [height, width, 3], normalized; logits: [count, num_classes()].
  void Run(const float* images, int64_t count, float* logits) const;

  // The same for RGB bytes, which it normalizes.
  void RunPixels(const uint8_t* images, int64_t count, float* logits) const;

  // As Run for one image, and tells the input of every convolution on integers: levels
  // [shape.height, shape.width, shape.channels].
  using Observer = std::function<void(const Node& conv, const Shape& shape, const int16_t* levels)>;
  void RunObserved(const float* image, float* logits, const Observer& observer) const;

 private:
  struct Workspace;
  Network(PackedNetwork network, Plan plan);
  std::unique_ptr<Workspace> Borrow() const;
  void Return(std::unique_ptr<Workspace> workspace) const;

  void RunImage(Workspace& workspace, float* logits, const Observer* observer) const;

  PackedNetwork description_;
  const Plan plan_;
  std::vector<float> pixel_values_;  // [256][3], normalized.
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace quant::runtime

#endif  // QUANT_RUNTIME_NETWORK_H_
