#include "tools/deployment/predict_images.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "data/codec/image_decoder.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/loader.h"
#include "data/loader/open_dataset.h"
#include "data/pixels/augmentation.h"
#include "data/pixels/pixel_writer.h"
#include "data/sources/dataset.h"
#include "data/sources/image_list.h"
#include "gflags/gflags.h"
#include "quant/runtime/network.h"
#include "quant/runtime/packed_network.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/storage_flags.h"
#include "tools/flags/tool.h"

DEFINE_string(network, "", "The packed network; or the first argument is.");
DEFINE_string(data, "", "In place of images: a data set to evaluate the network on.");
DEFINE_int32(top, 3, "How many classes to print for an image.");
FLAG_RANGE(top, tools::FromTo(1, tools::kMany));
DEFINE_int32(threads, 1, "Threads that decode images, and threads that compute.");
FLAG_RANGE(threads, tools::FromTo(1, 1024));

namespace tools {
namespace {

using quant::runtime::Network;
using quant::runtime::PackedNetwork;

constexpr int kImagesOfThread = 8;  // In a batch.

data::LoaderOptions OptionsOf(const PackedNetwork& network) {
  data::LoaderOptions options;
  options.order = data::Order::kSequential;
  options.drop_last = false;
  options.format = data::PixelFormat::kFloat32Nhwc;
  options.global_batch = int64_t{kImagesOfThread} * FLAGS_threads;
  options.threads = FLAGS_threads;
  const bool exact = network.preparation == quant::runtime::Preparation::kExact;
  options.augmentation = exact ? data::CifarEval() : data::ImageNetEval();
  options.augmentation.size = network.height;
  options.augmentation.center = network.crop;
  options.augmentation.normalization = {network.mean, network.std};
  return options;
}

absl::Status CheckSquare(const PackedNetwork& network) {
  if (network.height == network.width) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("takes images of ", network.width, "x",
                                               network.height, " pixels, which are not square"));
}

// What a network takes as it is has to have its size.
absl::Status CheckSizes(const PackedNetwork& network, const data::Dataset& images) {
  if (network.preparation != quant::runtime::Preparation::kExact) return absl::OkStatus();
  data::ScratchBuffer buffer;
  for (int64_t i = 0; i < images.size(); ++i) {
    ASSIGN_OR_RETURN(data::EncodedSample sample, images.Read(i, buffer));
    const absl::Status status = data::ImageDecoder::FindSize(sample);
    if (!status.ok())
      return absl::Status(status.code(), absl::StrCat(images.name(i), ": ", status.message()));
    if (sample.width != network.width || sample.height != network.height)
      return absl::InvalidArgumentError(absl::StrCat(images.name(i), ": has ", sample.width, "x",
                                                     sample.height, " pixels; the network takes ",
                                                     network.width, "x", network.height));
  }
  return absl::OkStatus();
}

std::vector<double> Probabilities(absl::Span<const float> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  std::vector<double> exponentials;
  for (const float logit : logits) exponentials.push_back(std::exp(logit - most));
  const double sum = std::accumulate(exponentials.begin(), exponentials.end(), 0.0);
  for (double& p : exponentials) p /= sum;
  return exponentials;
}

void PrintImage(const std::string& name, const Network& network, absl::Span<const float> logits) {
  const std::vector<double> probabilities = Probabilities(logits);
  std::vector<int> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return probabilities[a] > probabilities[b]; });
  absl::PrintF("%s:", name);
  for (int i = 0; i < FLAGS_top && i < static_cast<int>(order.size()); ++i)
    absl::PrintF("%s %s %.2f %%", i == 0 ? "" : ",", network.description().classes[order[i]],
                 100 * probabilities[order[i]]);
  absl::PrintF("\n");
}

// The logits of `count` images, divided among threads.
void RunBatch(const Network& network, const float* images, int64_t count, float* logits) {
  const auto run = [&](int64_t thread) {
    const int64_t first = count * thread / FLAGS_threads;
    const int64_t last = count * (thread + 1) / FLAGS_threads;
    network.Run(images + first * network.image_size(), last - first,
                logits + first * network.num_classes());
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < FLAGS_threads; ++i) threads.emplace_back(run, i);
  run(0);
  for (std::thread& thread : threads) thread.join();
}

// Calls function(index of the image, its label, logits) for all of `images`, in order.
template <typename Function>
absl::Status RunAll(const Network& network, const data::Dataset& images, const Function& function) {
  RETURN_IF_ERROR(CheckSizes(network.description(), images));
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Loader> loader,
                   data::Loader::Create(images, OptionsOf(network.description())));
  std::vector<float> logits(kImagesOfThread * FLAGS_threads * network.num_classes());
  for (int64_t step = 0; step < loader->steps_per_epoch(); ++step) {
    ASSIGN_OR_RETURN(const data::Batch batch, loader->Next());
    RunBatch(network, batch.floats(), batch.labels.size(), logits.data());
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      function(batch.sample_ids[i], batch.labels[i],
               absl::MakeConstSpan(&logits[i * network.num_classes()], network.num_classes()));
    }
  }
  return absl::OkStatus();
}

absl::Status Evaluate(const Network& network) {
  ASSIGN_OR_RETURN(auto store, StoreFromFlags(FLAGS_data));
  ASSIGN_OR_RETURN(const std::unique_ptr<data::Dataset> dataset,
                   data::OpenDataset(FLAGS_data, "auto", {.store = std::move(store)}));
  if (dataset->class_names() != network.description().classes)
    return absl::InvalidArgumentError(absl::StrCat(
        "--data=", FLAGS_data, ": its classes are not those that the network was exported with"));
  if (IsDryRun()) {
    absl::PrintF("would evaluate on %d images\n", dataset->size());
    return absl::OkStatus();
  }
  int64_t right = 0;
  double loss = 0;
  RETURN_IF_ERROR(
      RunAll(network, *dataset, [&](int64_t, int64_t label, absl::Span<const float> logits) {
        right += std::max_element(logits.begin(), logits.end()) - logits.begin() == label;
        loss -= std::log(Probabilities(logits)[label]);
      }));
  absl::PrintF("accuracy            %.2f %% of %d images\n", 100.0 * right / dataset->size(),
               dataset->size());
  absl::PrintF("loss                %.4f\n", loss / dataset->size());
  return absl::OkStatus();
}

}  // namespace

absl::Status PredictImages(const std::vector<std::string>& paths) {
  if (FLAGS_network.empty())
    return absl::InvalidArgumentError("a packed network is required: predict NETWORK IMAGE...");
  if (paths.empty() == FLAGS_data.empty())
    return absl::InvalidArgumentError("either images or --data are required");
  ASSIGN_OR_RETURN(const std::unique_ptr<Network> network, Network::Load(FLAGS_network));
  if (const absl::Status status = CheckSquare(network->description()); !status.ok())
    return absl::Status(status.code(), absl::StrCat(FLAGS_network, ": ", status.message()));
  if (!FLAGS_data.empty()) return Evaluate(*network);
  const data::ImageList images(paths);
  if (IsDryRun()) {
    RETURN_IF_ERROR(CheckSizes(network->description(), images));
    absl::PrintF("would predict %d images\n", images.size());
    return absl::OkStatus();
  }
  return RunAll(*network, images, [&](int64_t index, int64_t, absl::Span<const float> logits) {
    PrintImage(images.name(index), *network, logits);
  });
}

}  // namespace tools
