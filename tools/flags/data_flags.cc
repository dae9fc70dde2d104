#include "tools/flags/data_flags.h"

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/processors.h"
#include "base/status_macros.h"
#include "data/io/printable_name.h"
#include "data/loader/decode_pool.h"
#include "data/loader/open_dataset.h"
#include "data/pixels/augmentation.h"
#include "data/sources/mixture_dataset.h"
#include "distributed/communication/host_bytes.h"
#include "distributed/communication/rank_agreement.h"
#include "gflags/gflags.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/jpeg_decoder_flag.h"
#include "tools/flags/storage_flags.h"
#include "xxhash.h"

DEFINE_string(
    images, "cifar",
    "Which images: cifar (small ones, shifted) or imagenet (photos, cropped and resized). "
    "Decides the network's stem, too.");
FLAG_CHOICES(images, {"cifar", "imagenet"});
DEFINE_int32(image_size, 32, "Height and width of the network's input, pixels.");
FLAG_RANGE(image_size, tools::FromTo(1, 65536));
DEFINE_int64(batch, 256, "Samples of a step, over all ranks.");
FLAG_RANGE(batch, tools::FromTo(1, tools::kMany));
DEFINE_int32(threads, 1, "Threads of a rank that decode images, for all of its streams.");
FLAG_RANGE(threads, tools::FromTo(1, 1024));
DEFINE_int32(prefetch, 2, "Batches that a rank makes ahead.");
FLAG_RANGE(prefetch, tools::FromTo(1, 1024));
DEFINE_string(on_bad_sample, "fail", "What a damaged image does to a run.");
FLAG_CHOICES(on_bad_sample, {"fail", "skip"});
DEFINE_int64(max_bad_samples, 100,
             "--on_bad_sample=skip: how many damaged images may be left out before the run fails.");
FLAG_RANGE(max_bad_samples, tools::AtLeast(0));

namespace tools {
namespace {

// The fingerprint in hexadecimal, by the first rank of this host. Hosts may have copies of their
// own, which the trainer compares.
absl::StatusOr<std::string> ContentOfHost(const data::Dataset& dataset,
                                          distributed::Communicator& communicator) {
  const distributed::Place& place = communicator.place();
  absl::StatusOr<uint64_t> content = 0;
  if (place.local_rank == 0) content = dataset.Fingerprint();
  RETURN_IF_ERROR(distributed::AgreeOnStatus(communicator, content.status()));
  const std::string mine =
      place.local_rank != 0 ? "" : absl::StrCat(absl::Hex(*content, absl::kZeroPad16), place.host);
  ASSIGN_OR_RETURN(const auto all, distributed::AllGatherStrings(communicator, mine));
  for (absl::string_view text : all) {
    if (!text.empty() && text.substr(16) == place.host) return std::string(text.substr(0, 16));
  }
  return absl::InternalError(absl::StrCat("no first rank on ", place.host));
}

absl::StatusOr<std::unique_ptr<data::Dataset>> OpenOne(const std::string& flag,
                                                       const std::string& path,
                                                       distributed::Communicator* communicator) {
  bool agreed = communicator == nullptr;
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<data::Dataset>> {
    data::OpenOptions options;
    ASSIGN_OR_RETURN(options.store, StoreFromFlags(path));
    if (communicator != nullptr) {
      options.share = [&](const std::function<absl::StatusOr<std::string>()>& make) {
        agreed = true;
        return distributed::ShareOnHost(*communicator, make);
      };
    }
    return ValueOfFlag(flag, data::OpenDataset(path, "auto", options));
  };
  auto opened = open();
  if (!agreed) RETURN_IF_ERROR(distributed::AgreeOnStatus(*communicator, opened.status()));
  ASSIGN_OR_RETURN(auto dataset, std::move(opened));
  for (const std::string& line : dataset->left_alone().Lines(/*names=*/3)) {
    LOG(INFO) << "--" << flag << "=" << path << ": " << line;
  }
  return dataset;
}

// mpirun binds a rank to one core unless it is told otherwise.
void WarnOfFewProcessors() {
  const auto may_use = static_cast<int64_t>(base::ProcessorsOfThread().size());
  if (may_use >= FLAGS_threads || may_use >= sysconf(_SC_NPROCESSORS_CONF)) return;
  LOG_FIRST_N(WARNING, 1) << "--threads=" << FLAGS_threads << ", but this process may use "
                          << may_use << " of the host's processors; mpirun --bind-to none "
                          << "leaves it all of them";
}

// --threads of them, as long as a loader has them.
std::shared_ptr<data::DecodePool> DecodePoolOfProcess() {
  static auto* const last = new std::weak_ptr<data::DecodePool>;
  std::shared_ptr<data::DecodePool> pool = last->lock();
  if (pool == nullptr) {
    WarnOfFewProcessors();
    *last = pool = std::make_shared<data::DecodePool>(FLAGS_threads);
  }
  return pool;
}

}  // namespace

absl::StatusOr<InputShape> InputShapeFromFlags() {
  ASSIGN_OR_RETURN(const nas::ImageKind images,
                   ValueOfFlag("images", nas::ParseImageKind(FLAGS_images)));
  return InputShape{.images = images, .side = FLAGS_image_size};
}

absl::StatusOr<std::unique_ptr<data::Dataset>> OpenDatasetOfFlag(
    const std::string& flag, const std::string& path, distributed::Communicator* communicator) {
  if (path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, ": the path of the images is required"));
  }
  const std::vector<std::string> paths = absl::StrSplit(path, ',');
  if (paths.size() == 1 || std::filesystem::exists(path)) return OpenOne(flag, path, communicator);
  std::vector<data::MixtureDataset::Part> parts;
  for (const std::string& one : paths) {
    if (one.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, "=", data::PrintableName(path), ": a path is empty"));
    }
    ASSIGN_OR_RETURN(auto dataset, OpenOne(flag, one, communicator));
    parts.push_back({one, std::move(dataset)});
  }
  return ValueOfFlag(flag, data::MixtureDataset::Create(std::move(parts)));
}

absl::Status RequireSameClasses(const ClassList& classes, const ClassList& expected) {
  if (classes.names == expected.names) return absl::OkStatus();
  size_t i = 0;
  while (i < classes.names.size() && i < expected.names.size() &&
         classes.names[i] == expected.names[i]) {
    ++i;
  }
  const auto name = [i](const std::vector<std::string>& names) {
    return i < names.size() ? absl::StrCat("\"", data::PrintableName(names[i]), "\"")
                            : std::string("missing");
  };
  return absl::InvalidArgumentError(absl::StrCat(classes.place, ": class ", i, " is ",
                                                 name(classes.names), ", in ", expected.place,
                                                 " it is ", name(expected.names)));
}

absl::StatusOr<nlohmann::json> DatasetIdentity(const data::Dataset& dataset,
                                               distributed::Communicator& communicator) {
  const std::vector<int64_t> labels = data::Labels(dataset);
  const XXH64_hash_t hash = XXH3_64bits(labels.data(), labels.size() * sizeof(labels[0]));
  ASSIGN_OR_RETURN(const std::string content, ContentOfHost(dataset, communicator));
  return nlohmann::json{{"samples", dataset.size()},
                        {"classes", dataset.class_names()},
                        {"labels", absl::StrCat(absl::Hex(hash, absl::kZeroPad16))},
                        {"content", content}};
}

nlohmann::json ReadingIdentity(const InputShape& shape) {
  nlohmann::json identity = {{"images", std::string(nas::ImageKindName(shape.images))},
                             {"image_size", shape.side},
                             {"batch", FLAGS_batch},
                             {"on_bad_sample", FLAGS_on_bad_sample}};
  if (JpegDecoderName() != "cpu") identity["jpeg_decoder"] = JpegDecoderName();
  return identity;
}

int64_t MaxBadSamplesFromFlags() { return FLAGS_max_bad_samples; }

int64_t ImagesOfRank(int ranks) { return (FLAGS_batch + ranks - 1) / ranks; }

absl::StatusOr<data::LoaderOptions> EvaluationLoaderOptions(const InputShape& shape,
                                                            const distributed::Place& place) {
  data::LoaderOptions options;
  options.augmentation =
      shape.images == nas::ImageKind::kCifar ? data::CifarEval() : data::ImageNetEval();
  options.augmentation.size = static_cast<int>(shape.side);
  if (FLAGS_on_bad_sample == "skip") {
    options.on_bad_sample = data::LoaderOptions::OnBadSample::kSkip;
  }
  if (FLAGS_batch < place.size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch=", FLAGS_batch, ": is smaller than the ", place.size, " ranks that share it"));
  }
  options.order = data::Order::kSequential;
  options.drop_last = false;
  options.global_batch = FLAGS_batch;
  options.rank = place.rank;
  options.world_size = place.size;
  options.pool = DecodePoolOfProcess();
  options.prefetch = FLAGS_prefetch;
  return options;
}

absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> EvalSource(
    const data::Dataset& dataset, const InputShape& shape, const distributed::Place& place,
    c10::DeviceType device) {
  ASSIGN_OR_RETURN(data::LoaderOptions options, EvaluationLoaderOptions(shape, place));
  ASSIGN_OR_RETURN(options.jpeg_device, JpegDeviceFromFlags(device));
  return distributed::LoaderSource::Create(dataset, std::move(options), device);
}

absl::StatusOr<std::unique_ptr<distributed::LoaderSource>> CalibrationSource(
    const data::Dataset& dataset, uint64_t seed, const InputShape& shape,
    const distributed::Place& place, c10::DeviceType device) {
  ASSIGN_OR_RETURN(data::LoaderOptions options, EvaluationLoaderOptions(shape, place));
  ASSIGN_OR_RETURN(options.jpeg_device, JpegDeviceFromFlags(device));
  options.order = data::Order::kShuffled;
  options.seed = seed;
  return distributed::LoaderSource::Create(dataset, std::move(options), device);
}

}  // namespace tools
