// What tests and the benchmark of the Python loader hold it against: the same loader, in C++.
//
//   reference_loader bytes PATH TRANSFORM FORMAT BATCH WORLD RANK STEPS
//     writes each batch's pixels, labels and sample ids to stdout, of a global BATCH, shuffled with
//     seed 7
//   reference_loader rate PATH TRANSFORM FORMAT BATCH THREADS
//     prints the images per second of the second epoch, and those per CPU-second of all threads
// TRANSFORM is one of imagenet_train, imagenet_eval, cifar_train, cifar_eval, recipe; FORMAT one of
// float32_nchw, float32_nhwc, uint8_nhwc. An error's words go to stderr.
#include <chrono>
#include <cstdint>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "data/loader/loader.h"
#include "data/loader/open_dataset.h"
#include "data/loader/sampler.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/pixel_policy.h"
#include "data/pixels/pixel_writer.h"
#include "data/sources/dataset.h"

namespace data {
namespace {

using Arguments = std::vector<std::string>;

int Number(const std::string& text) {
  int value = 0;
  return absl::SimpleAtoi(text, &value) ? value : 0;
}

LoaderOptions OptionsFrom(const std::string& transform, const std::string& format,
                          const std::string& batch) {
  Augmentation recipe = CifarTrain();
  recipe.policy = {.brightness = 0.4,
                   .contrast = 0.3,
                   .saturation = 0.2,
                   .hue = 0.1,
                   .kind = PixelPolicy::Kind::kRandAugment,
                   .ops = 3,
                   .magnitude = 12};
  const std::map<std::string, Augmentation> transforms = {{"imagenet_train", ImageNetTrain()},
                                                          {"imagenet_eval", ImageNetEval()},
                                                          {"cifar_train", CifarTrain()},
                                                          {"cifar_eval", CifarEval()},
                                                          {"recipe", recipe}};
  const std::map<std::string, PixelFormat> formats = {{"float32_nchw", PixelFormat::kFloat32Nchw},
                                                      {"float32_nhwc", PixelFormat::kFloat32Nhwc},
                                                      {"uint8_nhwc", PixelFormat::kUint8Nhwc}};
  LoaderOptions options;
  options.augmentation = transforms.at(transform == "mixed" ? "cifar_train" : transform);
  if (transform == "mixed") options.mixing = {.mixup = 0.4, .cutmix = 1};
  options.format = formats.at(format);
  options.global_batch = Number(batch);
  options.seed = 7;
  return options;
}

template <typename T>
void Write(const T* data, size_t count) {
  std::cout.write(reinterpret_cast<const char*>(data), count * sizeof(T));
}

absl::Status WriteBatches(const Dataset& dataset, const LoaderOptions& options, int steps) {
  ASSIGN_OR_RETURN(const auto loader, Loader::Create(dataset, options));
  const size_t bytes = options.format == PixelFormat::kUint8Nhwc ? 1 : sizeof(float);
  const size_t image = bytes * 3 * options.augmentation.size * options.augmentation.size;
  for (int step = 0; step < steps; ++step) {
    ASSIGN_OR_RETURN(const Batch batch, loader->Next());
    Write(batch.pixels, batch.labels.size() * image);
    Write(batch.labels.data(), batch.labels.size());
    Write(batch.other_labels.data(), batch.other_labels.size());
    Write(batch.label_shares.data(), batch.label_shares.size());
    Write(batch.sample_ids.data(), batch.sample_ids.size());
  }
  return absl::OkStatus();
}

absl::Status PrintRate(const Dataset& dataset, const LoaderOptions& options) {
  ASSIGN_OR_RETURN(const auto loader, Loader::Create(dataset, options));
  const auto epoch = [&]() -> absl::Status {
    for (int64_t i = 0; i < loader->steps_per_epoch(); ++i) {
      RETURN_IF_ERROR(loader->Next().status());
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(epoch());
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  RETURN_IF_ERROR(epoch());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const int64_t images = loader->steps_per_epoch() * options.global_batch;
  std::cout << images / seconds.count() << " " << images / cpu_seconds << std::endl;
  return absl::OkStatus();
}

absl::Status Run(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto dataset, OpenDataset(arguments[1]));
  LoaderOptions options = OptionsFrom(arguments[2], arguments[3], arguments[4]);
  if (arguments[0] == "rate") {
    options.threads = Number(arguments[5]);
    return PrintRate(*dataset, options);
  }
  if (arguments[2] == "mixed") {
    options.samples.resize(dataset->size());
    std::iota(options.samples.begin(), options.samples.end(), 0);
    options.sampling = ClassBalanced(options.samples, Labels(*dataset));
  }
  options.world_size = Number(arguments[5]);
  options.rank = Number(arguments[6]);
  return WriteBatches(*dataset, options, Number(arguments[7]));
}

}  // namespace
}  // namespace data

int main(int argc, char** argv) {
  const absl::Status status = data::Run(data::Arguments(argv + 1, argv + argc));
  if (!status.ok()) std::cerr << status.message() << std::endl;
  return status.ok() ? 0 : 1;
}
