#include "data/nvjpeg/nvjpeg_device.h"

#include <nvjpeg.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "cuda_runtime_api.h"
#include "data/codec/shrink_pixels.h"
#include "data/nvjpeg/shrink_kernel.h"
#include "data/pixels/pixel_region.h"

namespace data {
namespace {

absl::StatusOr<std::shared_ptr<JpegDevice>> CreateDefault() { return CreateNvjpegDevice(); }

[[maybe_unused]] const bool registered = RegisterJpegDevice(&CreateDefault);

// What nvJPEG's own buffers grow by, so that they soon stop growing.
constexpr size_t kDevicePadding = size_t{4} << 20, kPinnedPadding = size_t{1} << 20;

absl::Status CudaStatus(const char* what, cudaError_t error) {
  if (error == cudaSuccess) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("GPU: ", what, ": ", cudaGetErrorString(error)));
}

const char* NameOf(nvjpegStatus_t status) {
  switch (status) {
    case NVJPEG_STATUS_SUCCESS:
      return "success";
    case NVJPEG_STATUS_NOT_INITIALIZED:
      return "not initialized";
    case NVJPEG_STATUS_INVALID_PARAMETER:
      return "invalid parameter";
    case NVJPEG_STATUS_BAD_JPEG:
      return "bad JPEG";
    case NVJPEG_STATUS_JPEG_NOT_SUPPORTED:
      return "JPEG not supported";
    case NVJPEG_STATUS_ALLOCATOR_FAILURE:
      return "out of memory";
    case NVJPEG_STATUS_EXECUTION_FAILED:
      return "execution failed";
    case NVJPEG_STATUS_ARCH_MISMATCH:
      return "not on this GPU";
    case NVJPEG_STATUS_INTERNAL_ERROR:
      return "internal error";
    case NVJPEG_STATUS_IMPLEMENTATION_NOT_SUPPORTED:
      return "implementation not supported";
    case NVJPEG_STATUS_INCOMPLETE_BITSTREAM:
      return "incomplete JPEG";
  }
  return "unknown error";
}

// Unimplemented for what nvJPEG says of a JPEG, see JpegLane.
absl::Status NvjpegStatus(const char* what, nvjpegStatus_t status) {
  if (status == NVJPEG_STATUS_SUCCESS) return absl::OkStatus();
  const std::string message = absl::StrCat("nvJPEG: ", what, ": ", NameOf(status));
  switch (status) {
    case NVJPEG_STATUS_BAD_JPEG:
    case NVJPEG_STATUS_JPEG_NOT_SUPPORTED:
    case NVJPEG_STATUS_IMPLEMENTATION_NOT_SUPPORTED:
    case NVJPEG_STATUS_INCOMPLETE_BITSTREAM:
      return absl::UnimplementedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

#define RETURN_IF_CUDA_ERROR(call) RETURN_IF_ERROR(CudaStatus(#call, call))
#define RETURN_IF_NVJPEG_ERROR(function, ...) \
  RETURN_IF_ERROR(NvjpegStatus(#function, function(__VA_ARGS__)))

// One of nvJPEG's or CUDA's handles, given back by `kDestroy`.
template <typename Handle, auto kDestroy>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (handle_ != nullptr) kDestroy(handle_);
  }

  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

using NvjpegHandle = Owned<nvjpegHandle_t, nvjpegDestroy>;
using NvjpegDecoder = Owned<nvjpegJpegDecoder_t, nvjpegDecoderDestroy>;
using NvjpegState = Owned<nvjpegJpegState_t, nvjpegJpegStateDestroy>;
using NvjpegStream = Owned<nvjpegJpegStream_t, nvjpegJpegStreamDestroy>;
using NvjpegParams = Owned<nvjpegDecodeParams_t, nvjpegDecodeParamsDestroy>;
using NvjpegPinned = Owned<nvjpegBufferPinned_t, nvjpegBufferPinnedDestroy>;
using NvjpegMemory = Owned<nvjpegBufferDevice_t, nvjpegBufferDeviceDestroy>;
using CudaStream = Owned<cudaStream_t, cudaStreamDestroy>;
using CudaEvent = Owned<cudaEvent_t, cudaEventDestroy>;

struct Backend {
  NvjpegBackend kind;
  NvjpegDecoder decoder;
};

// What lanes share.
struct Shared {
  int device = 0;
  NvjpegHandle handle;
  std::vector<Backend> backends;
};

class NvjpegLane : public JpegLane {
 public:
  explicit NvjpegLane(const Shared& shared) : shared_(shared) {}

  ~NvjpegLane() override {
    cudaSetDevice(shared_.device);
    if (stream_.get() != nullptr) cudaStreamSynchronize(stream_.get());
  }

  absl::Status Open() {
    RETURN_IF_CUDA_ERROR(cudaSetDevice(shared_.device));
    RETURN_IF_CUDA_ERROR(cudaStreamCreateWithFlags(stream_.out(), cudaStreamNonBlocking));
    // The processor does not spin while it waits.
    RETURN_IF_CUDA_ERROR(
        cudaEventCreateWithFlags(done_.out(), cudaEventBlockingSync | cudaEventDisableTiming));
    const nvjpegHandle_t handle = shared_.handle.get();
    RETURN_IF_NVJPEG_ERROR(nvjpegJpegStreamCreate, handle, jpeg_.out());
    RETURN_IF_NVJPEG_ERROR(nvjpegDecodeParamsCreate, handle, params_.out());
    RETURN_IF_NVJPEG_ERROR(nvjpegDecodeParamsSetOutputFormat, params_.get(), NVJPEG_OUTPUT_RGBI);
    RETURN_IF_NVJPEG_ERROR(nvjpegBufferPinnedCreate, handle, nullptr, pinned_.out());
    RETURN_IF_NVJPEG_ERROR(nvjpegBufferDeviceCreate, handle, nullptr, memory_.out());
    for (const Backend& backend : shared_.backends) {
      NvjpegState& state = states_.emplace_back();
      RETURN_IF_NVJPEG_ERROR(nvjpegDecoderStateCreate, handle, backend.decoder.get(), state.out());
      RETURN_IF_NVJPEG_ERROR(nvjpegStateAttachPinnedBuffer, state.get(), pinned_.get());
      RETURN_IF_NVJPEG_ERROR(nvjpegStateAttachDeviceBuffer, state.get(), memory_.get());
    }
    return absl::OkStatus();
  }

  absl::Status Parse(absl::Span<const uint8_t> jpeg) override {
    RETURN_IF_CUDA_ERROR(cudaSetDevice(shared_.device));
    RETURN_IF_NVJPEG_ERROR(nvjpegJpegStreamParse, shared_.handle.get(), jpeg.data(), jpeg.size(),
                           /*save_metadata=*/0, /*save_stream=*/0, jpeg_.get());
    RETURN_IF_ERROR(SetPart(nullptr));
    for (chosen_ = 0; chosen_ < shared_.backends.size(); ++chosen_) {
      if (Takes()) return absl::OkStatus();
    }
    return absl::UnimplementedError("nvJPEG: does not take such a JPEG");
  }

  absl::StatusOr<bool> CanDecodePart(const Rect& part) override {
    if (shared_.backends[chosen_].kind == NvjpegBackend::kEngine) return false;
    RETURN_IF_ERROR(SetPart(&part));
    if (Takes()) return true;
    RETURN_IF_ERROR(SetPart(nullptr));
    return false;
  }

  absl::Status Decode(const Rect& part, uint8_t* rgb) override {
    return Settled(QueueDecode(part, rgb));
  }

  absl::Status Shrink(const ShrinkJob& job, uint8_t* rgbx) override {
    return Settled(CudaStatus("shrinking", LaunchShrink(job, rgbx, stream_.get())));
  }

  absl::Status Fetch(const uint8_t* from, size_t bytes, uint8_t* to) override {
    return Settled(CopyAndWait(from, bytes, to));
  }

  absl::StatusOr<uint8_t*> Allocate(Memory where, size_t bytes) override {
    RETURN_IF_CUDA_ERROR(cudaSetDevice(shared_.device));
    void* memory = nullptr;
    RETURN_IF_ERROR(CudaStatus(
        where == Memory::kDevice ? "allocating GPU memory" : "allocating page-locked memory",
        where == Memory::kDevice ? cudaMalloc(&memory, bytes)
                                 : cudaHostAlloc(&memory, bytes, cudaHostAllocDefault)));
    return static_cast<uint8_t*>(memory);
  }

  void Free(Memory where, uint8_t* memory) override {
    cudaSetDevice(shared_.device);
    where == Memory::kDevice ? cudaFree(memory) : cudaFreeHost(memory);
  }

 private:
  // nullptr: the whole image.
  absl::Status SetPart(const Rect* part) {
    const Rect roi = part != nullptr ? *part : Rect{0, 0, -1, -1};
    return NvjpegStatus(
        "nvjpegDecodeParamsSetROI",
        nvjpegDecodeParamsSetROI(params_.get(), roi.x, roi.y, roi.width, roi.height));
  }

  // Whether the chosen backend takes the JPEG, or the part of it. What it cannot tell it does not.
  bool Takes() {
    int refused = 0;
    return nvjpegDecoderJpegSupported(shared_.backends[chosen_].decoder.get(), jpeg_.get(),
                                      params_.get(), &refused) == NVJPEG_STATUS_SUCCESS &&
           refused == 0;
  }

  absl::Status QueueDecode(const Rect& part, uint8_t* rgb) {
    const nvjpegHandle_t handle = shared_.handle.get();
    const nvjpegJpegDecoder_t decoder = shared_.backends[chosen_].decoder.get();
    const nvjpegJpegState_t state = states_[chosen_].get();
    nvjpegImage_t image = {};
    image.channel[0] = rgb;
    image.pitch[0] = size_t{3} * part.width;
    RETURN_IF_NVJPEG_ERROR(nvjpegDecodeJpegHost, handle, decoder, state, params_.get(),
                           jpeg_.get());
    RETURN_IF_NVJPEG_ERROR(nvjpegDecodeJpegTransferToDevice, handle, decoder, state, jpeg_.get(),
                           stream_.get());
    RETURN_IF_NVJPEG_ERROR(nvjpegDecodeJpegDevice, handle, decoder, state, &image, stream_.get());
    return absl::OkStatus();
  }

  absl::Status CopyAndWait(const uint8_t* from, size_t bytes, uint8_t* to) {
    RETURN_IF_CUDA_ERROR(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_.get()));
    RETURN_IF_CUDA_ERROR(cudaEventRecord(done_.get(), stream_.get()));
    return CudaStatus("decoding", cudaEventSynchronize(done_.get()));
  }

  // After an error, once the stream has come to rest: what it works on may go then.
  absl::Status Settled(absl::Status status) {
    if (status.ok()) return status;
    const absl::Status rest = CudaStatus("waiting", cudaStreamSynchronize(stream_.get()));
    // A GPU that is lost explains what nvJPEG says of the JPEG.
    return absl::IsUnimplemented(status) && !rest.ok() ? rest : status;
  }

  const Shared& shared_;
  CudaStream stream_;
  CudaEvent done_;
  NvjpegStream jpeg_;
  NvjpegParams params_;
  NvjpegPinned pinned_;
  NvjpegMemory memory_;
  std::vector<NvjpegState> states_;  // of each backend
  size_t chosen_ = 0;
};

class NvjpegDevice : public JpegDevice {
 public:
  absl::Status Open(const std::vector<NvjpegBackend>& backends) {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess || count == 0) {
      return absl::NotFoundError(absl::StrCat(
          "no GPU here: ", cudaGetErrorString(error != cudaSuccess ? error : cudaErrorNoDevice)));
    }
    RETURN_IF_CUDA_ERROR(cudaGetDevice(&shared_.device));
    // Chroma is interpolated as libjpeg does. What is not quite a JPEG is for libjpeg.
    constexpr unsigned int kFlags =
        (NVJPEG_FLAGS_UPSAMPLING_WITH_INTERPOLATION) | (NVJPEG_FLAGS_BITSTREAM_STRICT);
    RETURN_IF_NVJPEG_ERROR(nvjpegCreateEx, NVJPEG_BACKEND_DEFAULT, nullptr, nullptr, kFlags,
                           shared_.handle.out());
    const nvjpegHandle_t handle = shared_.handle.get();
    RETURN_IF_NVJPEG_ERROR(nvjpegSetDeviceMemoryPadding, kDevicePadding, handle);
    RETURN_IF_NVJPEG_ERROR(nvjpegSetPinnedMemoryPadding, kPinnedPadding, handle);
    for (const NvjpegBackend kind : backends) {
      Backend backend = {kind, {}};
      const nvjpegBackend_t implementation =
          kind == NvjpegBackend::kEngine ? NVJPEG_BACKEND_HARDWARE : NVJPEG_BACKEND_GPU_HYBRID;
      const nvjpegStatus_t status =
          nvjpegDecoderCreate(handle, implementation, backend.decoder.out());
      if (status == NVJPEG_STATUS_SUCCESS) shared_.backends.push_back(std::move(backend));
    }
    if (shared_.backends.empty()) {
      return absl::NotFoundError("nvJPEG: this GPU decodes no JPEGs");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<JpegLane>> NewLane() override {
    auto lane = std::make_unique<NvjpegLane>(shared_);
    const absl::Status status = lane->Open();
    if (status.ok()) return lane;
    // Nothing of this is about a JPEG.
    return absl::UnavailableError(status.message());
  }

 private:
  Shared shared_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<JpegDevice>> CreateNvjpegDevice(
    const std::vector<NvjpegBackend>& backends) {
  auto device = std::make_shared<NvjpegDevice>();
  RETURN_IF_ERROR(device->Open(backends));
  return device;
}

}  // namespace data
