// Images per second that threads decode with nvJPEG, beside the same threads with libjpeg: random
// resized crops of drawn JPEGs of ImageNet's usual size, as a folder has them once they are
// verified, and as a shard has them.
//
// All rows are measured in turn, for some rounds; numbers are medians over them.
#include <stdio.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/median.h"
#include "base/status_macros.h"
#include "data/codec/image_decoder.h"
#include "data/codec/jpeg_device.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/nvjpeg/nvjpeg_device.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/random.h"
#include "gflags/gflags.h"

DEFINE_int32(width, 500, "Of the JPEGs, pixels.");
DEFINE_int32(height, 375, "Of the JPEGs, pixels.");
DEFINE_int32(images, 64, "How many different JPEGs.");
DEFINE_int32(crops, 1000, "Of each thread in a measurement.");
DEFINE_int32(rounds, 5, "Measurements of each row.");

namespace data {
namespace {

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

struct Rates {
  double wall = 0;  // images per second
  double cpu = 0;   // and per second of processors' time
};

// `device` is null for libjpeg.
absl::StatusOr<Rates> Measure(const std::vector<EncodedSample>& samples, int threads,
                              const std::shared_ptr<JpegDevice>& device) {
  const Augmentation augmentation = ImageNetTrain();
  std::vector<std::unique_ptr<ImageDecoder>> decoders;
  std::vector<absl::Status> statuses(threads);
  const auto work = [&](int thread, int crops) -> absl::Status {
    for (int i = 0; i < crops; ++i) {
      const EncodedSample& sample = samples[i % samples.size()];
      Random random(1, thread, i);
      ASSIGN_OR_RETURN(const View view,
                       DrawView(augmentation, sample.width, sample.height, random));
      const int shrink = ImageDecoder::Log2Shrink(sample.encoding, view.source, augmentation.size);
      RETURN_IF_ERROR(decoders[thread]->Decode(sample, view.source, shrink).status());
    }
    return absl::OkStatus();
  };
  const auto run = [&](int crops) {
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&, i] { statuses[i] = work(i, crops); });
    }
    for (std::thread& thread : running) thread.join();
    for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
    return absl::OkStatus();
  };
  for (int i = 0; i < threads; ++i) decoders.push_back(std::make_unique<ImageDecoder>(device));
  RETURN_IF_ERROR(run(FLAGS_images));  // until buffers have grown
  const auto start = std::chrono::steady_clock::now();
  const double cpu_start = CpuSeconds();
  RETURN_IF_ERROR(run(FLAGS_crops));
  const double images = static_cast<double>(threads) * FLAGS_crops;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  return Rates{images / wall.count(), images / (CpuSeconds() - cpu_start)};
}

struct Decoder {
  std::string name;
  std::shared_ptr<JpegDevice> device;
};

absl::StatusOr<std::vector<Decoder>> Decoders() {
  std::vector<Decoder> decoders = {{"libjpeg", nullptr}};
  for (const auto& [name, backend] : {std::pair("nvJPEG, engines", NvjpegBackend::kEngine),
                                      {"nvJPEG, cores", NvjpegBackend::kCores}}) {
    auto device = CreateNvjpegDevice({backend});
    if (absl::IsNotFound(device.status())) {
      printf("no %s: %s\n", name, std::string(device.status().message()).c_str());
      continue;
    }
    RETURN_IF_ERROR(device.status());
    decoders.push_back({name, *std::move(device)});
  }
  return decoders;
}

absl::Status Run() {
  std::vector<Bytes> bytes;
  std::vector<RestartJpeg> packed;
  for (int i = 0; i < FLAGS_images; ++i) {
    bytes.push_back(MakeJpeg(FLAGS_width, FLAGS_height, i));
    ASSIGN_OR_RETURN(RestartJpeg jpeg, TranscodeJpeg(bytes.back()));
    packed.push_back(std::move(jpeg));
  }
  std::vector<EncodedSample> originals, shard;
  for (int i = 0; i < FLAGS_images; ++i) {
    EncodedSample sample;
    sample.width = FLAGS_width;
    sample.height = FLAGS_height;
    sample.verified = true;
    sample.bytes = bytes[i];
    originals.push_back(sample);
    sample.bytes = packed[i].bytes;
    sample.restarts = packed[i].restarts();
    shard.push_back(sample);
  }
  ASSIGN_OR_RETURN(const std::vector<Decoder> decoders, Decoders());
  const int processors = std::max(1u, std::thread::hardware_concurrency());
  std::vector<int> thread_counts = {1, processors, 2 * processors};
  printf("%d x %d, of %d processors\n", FLAGS_width, FLAGS_height, processors);
  for (const auto& [kind, samples] : {std::pair("files", &originals), {"shard", &shard}}) {
    for (const int threads : thread_counts) {
      std::vector<std::vector<double>> wall(decoders.size()), cpu(decoders.size());
      for (int round = 0; round < FLAGS_rounds; ++round) {
        for (size_t i = 0; i < decoders.size(); ++i) {
          ASSIGN_OR_RETURN(const Rates rates, Measure(*samples, threads, decoders[i].device));
          wall[i].push_back(rates.wall);
          cpu[i].push_back(rates.cpu);
        }
      }
      const double baseline = base::Median(wall[0]);
      for (size_t i = 0; i < decoders.size(); ++i) {
        const double rate = base::Median(wall[i]);
        printf("%s, %3d threads, %-16s %8.0f images/s %6.2f times, %8.0f per CPU-second\n", kind,
               threads, decoders[i].name.c_str(), rate, rate / baseline, base::Median(cpu[i]));
      }
    }
  }
  for (const Decoder& decoder : decoders) {
    if (decoder.device == nullptr) continue;
    printf("%s: %lld decoded, %lld left to libjpeg\n", decoder.name.c_str(),
           static_cast<long long>(decoder.device->decoded),
           static_cast<long long>(decoder.device->left));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace data

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const absl::Status status = data::Run();
  if (status.ok()) return 0;
  fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}
