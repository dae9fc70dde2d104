#include "tools/flags/jpeg_decoder_flag.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_values.h"

DEFINE_string(jpeg_decoder, "cpu",
              "What decodes JPEGs: the CPU, or nvJPEG on this rank's GPU (with --device=cuda), "
              "whose pixels differ in their last bits.");
FLAG_CHOICES(jpeg_decoder, {"cpu", "nvjpeg"});

namespace tools {
namespace {

// Says what it did when the last loader gives it up.
void Report(const data::JpegDevice& device) {
  const int64_t decoded = device.decoded, left = device.left;
  if (decoded + left == 0) return;
  LOG(INFO) << "--jpeg_decoder=" << FLAGS_jpeg_decoder << ": " << decoded
            << " images were decoded on the GPU; " << left
            << " are no JPEGs that it takes, and were left to the CPU";
}

}  // namespace

const std::string& JpegDecoderName() { return FLAGS_jpeg_decoder; }

absl::Status CheckJpegDecoder(c10::DeviceType device) {
  if (FLAGS_jpeg_decoder == "cpu") return absl::OkStatus();
  const auto wrong = [](const char* what) {
    return absl::InvalidArgumentError(
        absl::StrCat("--jpeg_decoder=", FLAGS_jpeg_decoder, ": ", what));
  };
  if (device != c10::DeviceType::CUDA) return wrong("needs a network on the GPU (--device=cuda)");
  if (data::LinkedJpegDevice() == nullptr) {
    return wrong("this binary was built without --config=cuda");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<data::JpegDevice>> JpegDeviceFromFlags(c10::DeviceType device) {
  RETURN_IF_ERROR(CheckJpegDecoder(device));
  if (FLAGS_jpeg_decoder == "cpu") return nullptr;
  static auto* const last = new std::weak_ptr<data::JpegDevice>;
  std::shared_ptr<data::JpegDevice> shared = last->lock();
  if (shared == nullptr) {
    ASSIGN_OR_RETURN(std::shared_ptr<data::JpegDevice> made,
                     ValueOfFlag("jpeg_decoder", data::LinkedJpegDevice()()));
    // Holds what it reports on.
    shared.reset(made.get(), [made](data::JpegDevice* owned) { Report(*owned); });
    *last = shared;
  }
  return shared;
}

}  // namespace tools
