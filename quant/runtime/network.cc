#include "quant/runtime/network.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "quant/runtime/image_run.h"
#include "quant/runtime/packed_reader.h"

namespace quant::runtime {
namespace {

constexpr std::align_val_t kWorkspaceAlignment{64};

struct Deleter {
  void operator()(uint8_t* memory) const { operator delete(memory, kWorkspaceAlignment); }
};

}  // namespace

struct Network::Workspace {
  // Zeros, which stay where the kernels want them.
  explicit Workspace(size_t bytes)
      : memory(static_cast<uint8_t*>(operator new(bytes, kWorkspaceAlignment))) {
    std::memset(memory.get(), 0, bytes);
  }
  float* Floats(const Plan& plan, int32_t buffer) {
    return reinterpret_cast<float*>(memory.get() + plan.buffers[buffer].offset);
  }
  std::unique_ptr<uint8_t, Deleter> memory;
};

absl::StatusOr<std::unique_ptr<Network>> Network::Load(const std::string& path) {
  ASSIGN_OR_RETURN(PackedNetwork packed, ReadPackedNetwork(path));
  absl::StatusOr<std::unique_ptr<Network>> network = Create(std::move(packed));
  if (!network.ok())
    return absl::Status(network.status().code(),
                        absl::StrCat(path, ": ", network.status().message()));
  return network;
}

absl::StatusOr<std::unique_ptr<Network>> Network::Create(PackedNetwork network) {
  ASSIGN_OR_RETURN(Plan plan, MakePlan(network));
  return absl::WrapUnique(new Network(std::move(network), std::move(plan)));
}

Network::Network(PackedNetwork network, Plan plan)
    : description_(std::move(network)), plan_(std::move(plan)), pixel_values_(3 * 256) {
  for (Node& node : description_.nodes) {
    if (node.op != Op::kConv) continue;
    node.float_weights = {};
    node.weights = {};
  }
  for (size_t i = 0; i < pixel_values_.size(); ++i) {
    const double value = static_cast<double>(i / 3) / 255;
    pixel_values_[i] =
        static_cast<float>((value - description_.mean[i % 3]) / description_.std[i % 3]);
  }
}

Network::~Network() = default;

std::unique_ptr<Network::Workspace> Network::Borrow() const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>(plan_.workspace_bytes);
}

void Network::Return(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(workspace));
}

void Network::Run(const float* images, int64_t count, float* logits) const {
  auto workspace = Borrow();
  float* const input = workspace->Floats(plan_, plan_.input);
  for (int64_t i = 0; i < count; ++i) {
    std::copy_n(images + i * image_size(), image_size(), input);
    RunImage(*workspace, logits + i * num_classes(), nullptr);
  }
  Return(std::move(workspace));
}

void Network::RunPixels(const uint8_t* images, int64_t count, float* logits) const {
  auto workspace = Borrow();
  float* const input = workspace->Floats(plan_, plan_.input);
  for (int64_t i = 0; i < count; ++i, images += image_size()) {
    for (int64_t k = 0; k < image_size(); ++k) input[k] = pixel_values_[3 * images[k] + k % 3];
    RunImage(*workspace, logits + i * num_classes(), nullptr);
  }
  Return(std::move(workspace));
}

void Network::RunObserved(const float* image, float* logits, const Observer& observer) const {
  auto workspace = Borrow();
  std::copy_n(image, image_size(), workspace->Floats(plan_, plan_.input));
  RunImage(*workspace, logits, &observer);
  Return(std::move(workspace));
}

void Network::RunImage(Workspace& workspace, float* logits, const Observer* observer) const {
  ImageRun(description_, plan_, workspace.memory.get(), observer).Run();
  std::copy_n(workspace.Floats(plan_, plan_.logits), num_classes(), logits);
}

}  // namespace quant::runtime
