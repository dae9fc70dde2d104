// Images per second of the loader, beside a loop that decodes whole images, on the JPEGs of any
// dataset; and the memory it holds over many epochs.
//
//   bazel run //data/loader:loader_benchmark -- --data=/data/imagenet
//
// All rows are measured in turn on the same rectangles of the same 256 images, then of the next
// ones, and so on for some rounds; all read them from the dataset. All numbers are medians over
// these, so that a machine that others use, too, slows both sides of a ratio alike. CMYK is left
// out, which TurboJPEG does not turn into RGB.
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/median.h"
#include "base/status_macros.h"
#include "data/codec/jpeg_header.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/decode_loops.h"
#include "data/loader/loader.h"
#include "data/loader/open_dataset.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/mixing.h"
#include "data/pixels/pixel_policy.h"
#include "data/pixels/random.h"
#include "data/sources/dataset.h"
#include "gflags/gflags.h"

DEFINE_string(data, "", "The dataset.");
DEFINE_string(kind, "auto", "Its kind: folder, tar, cifar, beton, shards, or auto.");
DEFINE_int64(samples, 3000, "How many of its JPEGs to use, from the first on.");
DEFINE_bool(skip_progressive, false, "Leave out progressive JPEGs, which only decode as a whole.");
DEFINE_int32(threads, std::thread::hardware_concurrency(), "The most threads of the loader.");
DEFINE_int32(rounds, 5, "Measurements of each row.");
DEFINE_int32(epochs, 10, "Epochs after which to tell the resident memory.");

namespace data {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int64_t kBatch = 32;
constexpr int64_t kSlice = 8 * kBatch;
constexpr int64_t kEpoch = 1;  // The one that is measured.

struct Seconds {
  double cpu = 0;  // of all threads
  double wall = 0;
};

Seconds Now() {
  const auto seconds = [](clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
  };
  return {seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)};
}

Seconds operator-(const Seconds& a, const Seconds& b) { return {a.cpu - b.cpu, a.wall - b.wall}; }

using Samples = std::vector<int64_t>;  // indices into the dataset

// A row of the table: its name, what measures it, and what was measured.
struct Row {
  std::string name;
  std::function<absl::StatusOr<Seconds>(const Samples&)> measure;
  std::vector<Seconds> measured = {};
};

// The JPEGs with one or three components; whole slices of them.
absl::StatusOr<Samples> ChooseSamples(const Dataset& dataset) {
  Samples samples;
  ScratchBuffer buffer;
  for (int64_t i = 0; i < dataset.size() && samples.size() < FLAGS_samples; ++i) {
    ASSIGN_OR_RETURN(const EncodedSample sample, dataset.Read(i, buffer));
    if (sample.encoding != Encoding::kJpeg) continue;
    ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(sample.bytes));
    if (header.components == 4 || (FLAGS_skip_progressive && !header.sequential)) continue;
    samples.push_back(i);
  }
  samples.resize(samples.size() / kSlice * kSlice);
  if (samples.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(FLAGS_data, ": fewer than ", kSlice, " JPEGs in RGB"));
  }
  return samples;
}

// Memory of batches, kept from loader to loader: the system clears a page at its first use, which
// is no cost of the loader's.
std::shared_ptr<uint8_t> AllocateOnce(size_t bytes) {
  static auto* const kept = new std::multimap<size_t, std::shared_ptr<uint8_t>>();
  for (auto [it, end] = kept->equal_range(bytes); it != end; ++it) {
    if (it->second.use_count() == 1) return it->second;
  }
  const std::shared_ptr<uint8_t> made(new uint8_t[bytes](), std::default_delete<uint8_t[]>());
  kept->emplace(bytes, made);
  return made;
}

LoaderOptions Options(const Samples& samples, PixelFormat format, int threads) {
  LoaderOptions options;
  options.samples = samples;
  options.global_batch = kBatch;
  options.seed = kSeed;
  options.order = Order::kSequential;
  options.augmentation = ImageNetTrain();
  options.format = format;
  options.threads = threads;
  options.allocate = &AllocateOnce;
  return options;
}

// An epoch from the first batch on to the next epoch's first batch: at both ends the threads have
// made equally much ahead. Unless it is the first time that the loader sees the samples, an epoch
// goes before, in which files without checksums prove sound.
absl::StatusOr<Seconds> TimeLoader(const Dataset& dataset, const LoaderOptions& options,
                                   bool first_time) {
  ASSIGN_OR_RETURN(const auto loader, Loader::Create(dataset, options));
  for (int64_t i = 0; !first_time && i < loader->steps_per_epoch(); ++i) {
    RETURN_IF_ERROR(loader->Next().status());
  }
  RETURN_IF_ERROR(loader->Seek(kEpoch, 0));
  RETURN_IF_ERROR(loader->Next().status());
  const Seconds start = Now();
  for (int64_t i = 0; i < loader->steps_per_epoch(); ++i) {
    RETURN_IF_ERROR(loader->Next().status());
  }
  return Now() - start;
}

// Runs `work(sample, view)` on the views that TimeLoader's loader draws.
template <typename Work>
absl::StatusOr<Seconds> TimeLoop(const Dataset& dataset, const Samples& samples, const Work& work) {
  const Augmentation augmentation = ImageNetTrain();
  ScratchBuffer buffer;
  const Seconds start = Now();
  for (size_t i = 0; i < samples.size(); ++i) {
    ASSIGN_OR_RETURN(EncodedSample sample, dataset.Read(samples[i], buffer));
    ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(sample.bytes));
    sample.width = header.width;
    sample.height = header.height;
    const int64_t epoch = i < kBatch ? kEpoch + 1 : kEpoch;
    Random random(kSeed, epoch, samples[i]);
    ASSIGN_OR_RETURN(const View view, DrawView(augmentation, sample.width, sample.height, random));
    RETURN_IF_ERROR(work(sample, view));
  }
  return Now() - start;
}

std::vector<Row> Rows(const Dataset& dataset) {
  std::vector<Row> rows;
  const auto loop = std::make_shared<FullDecodeLoop>(ImageNetTrain(), PixelFormat::kUint8Nhwc);
  rows.push_back(
      {"loop of whole decode, crop, resize, flip", [&dataset, loop](const Samples& samples) {
         return TimeLoop(dataset, samples, [&loop](const EncodedSample& sample, const View& view) {
           return loop->Run(sample, view);
         });
       }});
  rows.push_back({"loop of entropy decoding alone", [&dataset](const Samples& samples) {
                    return TimeLoop(dataset, samples, [](const EncodedSample& sample, const View&) {
                      return DecodeEntropy(sample);
                    });
                  }});
  rows.push_back(
      {"loader, 1 thread: uint8 NHWC, the first time", [&dataset](const Samples& samples) {
         return TimeLoader(dataset, Options(samples, PixelFormat::kUint8Nhwc, 1),
                           /*first_time=*/true);
       }});
  const std::pair<PixelFormat, const char*> formats[] = {
      {PixelFormat::kUint8Nhwc, "uint8 NHWC"},
      {PixelFormat::kFloat32Nchw, "float32 NCHW"},
      {PixelFormat::kFloat32Nhwc, "float32 NHWC"}};
  for (const auto& [format, name] : formats) {
    for (int threads = 1; threads <= FLAGS_threads; ++threads) {
      rows.push_back({absl::StrCat("loader, ", threads, " threads: ", name),
                      [&dataset, format = format, threads](const Samples& samples) {
                        return TimeLoader(dataset, Options(samples, format, threads),
                                          /*first_time=*/false);
                      }});
    }
  }
  const auto add_recipe = [&](const char* name, const PixelPolicy& policy, const Mixing& mixing) {
    rows.push_back({absl::StrCat("loader, 1 thread: float32 NCHW, ", name),
                    [&dataset, policy, mixing](const Samples& samples) {
                      LoaderOptions options = Options(samples, PixelFormat::kFloat32Nchw, 1);
                      options.augmentation.policy = policy;
                      options.mixing = mixing;
                      return TimeLoader(dataset, options, /*first_time=*/false);
                    }});
  };
  add_recipe("color jitter", {.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.2},
             {});
  add_recipe("TrivialAugment", {.kind = PixelPolicy::Kind::kTrivialAugment}, {});
  add_recipe("RandAugment", {.kind = PixelPolicy::Kind::kRandAugment}, {});
  add_recipe("mixup and cutmix", {}, {.mixup = 0.2, .cutmix = 1});
  return rows;
}

void PrintTable(const std::vector<Row>& rows) {
  std::printf("%-46s %12s %6s %10s %6s\n", "", "images/CPU-s", "ratio", "images/s", "ratio");
  for (const Row& row : rows) {
    std::vector<double> cpu, cpu_ratio, wall, wall_ratio;
    for (size_t i = 0; i < row.measured.size(); ++i) {
      cpu.push_back(kSlice / row.measured[i].cpu);
      wall.push_back(kSlice / row.measured[i].wall);
      cpu_ratio.push_back(rows[0].measured[i].cpu / row.measured[i].cpu);
      wall_ratio.push_back(rows[0].measured[i].wall / row.measured[i].wall);
    }
    std::printf("%-46s %12.0f %6.2f %10.0f %6.2f\n", row.name.c_str(), base::Median(cpu),
                base::Median(cpu_ratio), base::Median(wall), base::Median(wall_ratio));
  }
}

double ResidentMegabytes() {
  int64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return 1e-6 * resident * sysconf(_SC_PAGESIZE);
}

absl::Status PrintMemory(const Dataset& dataset, const Samples& samples) {
  LoaderOptions options = Options(samples, PixelFormat::kFloat32Nchw, FLAGS_threads);
  options.order = Order::kShuffled;
  ASSIGN_OR_RETURN(const auto loader, Loader::Create(dataset, options));
  std::printf("resident MB after each epoch:");
  for (int epoch = 0; epoch < FLAGS_epochs; ++epoch) {
    for (int64_t i = 0; i < loader->steps_per_epoch(); ++i) {
      RETURN_IF_ERROR(loader->Next().status());
    }
    std::printf(" %.1f", ResidentMegabytes());
    std::fflush(stdout);
  }
  std::printf("\n");
  return absl::OkStatus();
}

absl::Status Run() {
  ASSIGN_OR_RETURN(const auto dataset, OpenDataset(FLAGS_data, FLAGS_kind));
  ASSIGN_OR_RETURN(const Samples samples, ChooseSamples(*dataset));
  std::vector<Row> rows = Rows(*dataset);
  for (int round = 0; round < FLAGS_rounds; ++round) {
    for (auto first = samples.begin(); first != samples.end(); first += kSlice) {
      for (Row& row : rows) {
        ASSIGN_OR_RETURN(const Seconds seconds, row.measure(Samples(first, first + kSlice)));
        row.measured.push_back(seconds);
      }
    }
  }
  std::printf("%s: %zu JPEGs, random resized crops to 224, medians of %d rounds\n",
              FLAGS_data.c_str(), samples.size(), FLAGS_rounds);
  PrintTable(rows);
  return PrintMemory(*dataset, samples);
}

}  // namespace
}  // namespace data

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const absl::Status status = data::Run();
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
