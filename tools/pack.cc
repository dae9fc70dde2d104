// Packs images into shards: an image folder, tar archives, CIFAR's batches, MNIST's files, a .beton
// file or shards.
//
//   pack --input=digits-train.tar --output=digits/train
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "data/io/sample_field.h"
#include "data/loader/open_dataset.h"
#include "data/shard/packer.h"
#include "data/sources/dataset.h"
#include "data/sources/left_alone.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/storage_flags.h"
#include "tools/flags/tool.h"

DEFINE_string(input, "", "What to pack.");
DEFINE_string(kind, "auto", "Kind of the input.");
FLAG_CHOICES(kind, {"auto", "folder", "tar", "cifar", "idx", "beton", "shards"});
DEFINE_bool(allow_empty_classes, false, "Accept folders and labels without an image as classes.");
DEFINE_string(output, "", "Folder for the shards; one with part of them is completed.");
DEFINE_int32(max_side, 0, "Shrink images whose longer side exceeds this; 0: none.");
FLAG_RANGE(max_side, tools::FromTo(0, 65536));
DEFINE_int32(quality, 90, "JPEG quality of images that are shrunk or turned.");
FLAG_RANGE(quality, tools::FromTo(1, 100));
DEFINE_double(raw_fraction, 0, "Share of the images kept as raw pixels.");
FLAG_RANGE(raw_fraction, tools::FromTo(0, 1));
DEFINE_bool(apply_exif_orientation, false, "Turn images upright as their EXIF data say.");
DEFINE_bool(keep_jpeg, false, "Keep JPEGs byte for byte: no restart markers, so slower crops.");
DEFINE_string(fields, "all",
              "What samples have besides image and label that the shards keep: all, or names with "
              "commas between them; empty: nothing.");
DEFINE_bool(shuffle, true, "Mix the samples over the shards; false: the input's order.");
DEFINE_int64(samples_per_shard, 8192, "Samples in a shard.");
FLAG_RANGE(samples_per_shard, tools::FromTo(1, tools::kMany));
DEFINE_int32(threads, 1, "Threads that transcode.");
FLAG_RANGE(threads, tools::FromTo(1, 1024));
DEFINE_string(on_bad_sample, "fail", "fail, or skip: leave bad samples out and list them.");
FLAG_CHOICES(on_bad_sample, {"fail", "skip"});

namespace {

// One line, rewritten in place, a few times a second; only on a terminal.
class Progress {
 public:
  void operator()(int64_t done, int64_t total) {
    const absl::Time now = absl::Now();
    if (tools::IsQuiet() || !isatty(STDERR_FILENO) ||
        (now - shown_ < absl::Milliseconds(200) && done < total))
      return;
    shown_ = now;
    const double rate = done / absl::ToDoubleSeconds(now - start_);
    std::cerr << absl::StreamFormat("\r%d of %d samples, %.0f/s, %.0f s left ", done, total, rate,
                                    (total - done) / rate)
              << (done == total ? "\n" : "") << std::flush;
  }

 private:
  const absl::Time start_ = absl::Now();
  absl::Time shown_ = absl::InfinitePast();
};

void Print(const data::Dataset& dataset, const data::PackReport& report) {
  constexpr size_t kNames = 3, kRejected = 20;
  std::cout << absl::StreamFormat(
      "%s: %d samples of %d classes in %d shards (%d kept), %.1f MB; %d rejected\n", FLAGS_output,
      report.samples, dataset.class_names().size(), report.shards, report.kept_shards,
      report.bytes / 1e6, report.rejected.size());
  if (!dataset.fields().empty()) {
    std::cout << "fields: " << data::DescribeFields(dataset.fields()) << "\n";
  }
  for (const std::string& line : dataset.left_alone().Lines(kNames)) std::cout << line << "\n";
  for (const std::string& name : report.empty_classes) {
    std::cout << "class without samples: " << name << "\n";
  }
  for (size_t i = 0; i < std::min(kRejected, report.rejected.size()); ++i) {
    std::cout << "rejected: " << report.rejected[i].second << "\n";
  }
  if (report.rejected.size() > kRejected) {
    std::cout << "and " << report.rejected.size() - kRejected << " more rejected\n";
  }
}

absl::Status Run() {
  if (FLAGS_input.empty() || FLAGS_output.empty()) {
    return absl::InvalidArgumentError("--input and --output are needed");
  }
  ASSIGN_OR_RETURN(auto store, tools::StoreFromFlags(FLAGS_input));
  ASSIGN_OR_RETURN(const auto dataset,
                   data::OpenDataset(FLAGS_input, FLAGS_kind,
                                     {.allow_empty_classes = FLAGS_allow_empty_classes,
                                      .store = std::move(store),
                                      .fields = data::ParseFieldChoice(FLAGS_fields)}));
  data::PackOptions options;
  options.sample.max_side = FLAGS_max_side;
  options.sample.quality = FLAGS_quality;
  options.sample.raw_fraction = FLAGS_raw_fraction;
  options.sample.apply_orientation = FLAGS_apply_exif_orientation;
  options.sample.keep_jpeg = FLAGS_keep_jpeg;
  options.samples_per_shard = FLAGS_samples_per_shard;
  options.shuffle = FLAGS_shuffle;
  options.workers = FLAGS_threads;
  options.skip_bad_samples = FLAGS_on_bad_sample == "skip";
  RETURN_IF_ERROR(tools::RequireWritableFolder("output", FLAGS_output));
  if (tools::IsDryRun()) {
    const int64_t per_shard = FLAGS_samples_per_shard;
    std::cout << absl::StreamFormat("would pack %d samples of %d classes into %d shards in %s\n",
                                    dataset->size(), dataset->class_names().size(),
                                    (dataset->size() + per_shard - 1) / per_shard, FLAGS_output);
    return absl::OkStatus();
  }
  Progress progress;
  options.progress = [&progress](int64_t done, int64_t total) { progress(done, total); };
  ASSIGN_OR_RETURN(const data::PackReport report, data::Pack(*dataset, FLAGS_output, options));
  Print(*dataset, report);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Packs images into shards.\n\n"
                        "  pack --input=imagenet/train --output=shards/train",
                        {}, &Run);
}
