// Says what is in a dataset, checks it, and takes samples out of it.
//
//   inspect --input=/data/imagenet --verify --threads=16
//   inspect --input=train.beton --extract=17 --output=sample.jpg
//   inspect --input=shards/train --extract=17 --field=json --output=sample.json
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "data/io/encoded_sample.h"
#include "data/io/sample_field.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/open_dataset.h"
#include "data/sources/dataset.h"
#include "data/sources/dataset_summary.h"
#include "data/sources/left_alone.h"
#include "gflags/gflags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/storage_flags.h"
#include "tools/flags/tool.h"

DEFINE_string(input, "", "The dataset.");
DEFINE_string(kind, "auto", "Kind of the input.");
FLAG_CHOICES(kind, {"auto", "folder", "tar", "cifar", "idx", "beton", "shards"});
DEFINE_bool(allow_empty_classes, false, "Accept folders and labels without an image as classes.");
DEFINE_bool(verify, false, "Decode every image too, not just its header.");
DEFINE_int32(threads, 1, "Threads that read and decode.");
FLAG_RANGE(threads, tools::FromTo(1, 1024));
DEFINE_int64(extract, -1, "Write this sample's bytes to --output, and do nothing else; -1: none.");
FLAG_RANGE(extract, tools::AtLeast(-1));
DEFINE_string(field, "", "With --extract: this field of the sample in place of its image.");
DEFINE_string(output, "", "File for the extracted sample (raw pixels become a .ppm image).");

namespace {

absl::Status Extract(const data::Dataset& dataset) {
  if (FLAGS_extract >= dataset.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("--extract=", FLAGS_extract, " of ", dataset.size(), " samples"));
  }
  if (FLAGS_output.empty()) return absl::InvalidArgumentError("--extract needs --output");
  RETURN_IF_ERROR(tools::RequireWritableFile("output", FLAGS_output));
  if (tools::IsDryRun()) {
    std::cout << absl::StreamFormat("would write sample %d, %s, to %s\n", FLAGS_extract,
                                    dataset.name(FLAGS_extract), FLAGS_output);
    return absl::OkStatus();
  }
  data::ScratchBuffer buffer;
  ASSIGN_OR_RETURN(const data::EncodedSample sample, dataset.Read(FLAGS_extract, buffer));
  const bool image = FLAGS_field.empty();
  const absl::Span<const uint8_t> wanted = image ? sample.bytes : sample.fields.front();
  if (wanted.data() == nullptr) {
    return absl::NotFoundError(absl::StrCat("sample ", FLAGS_extract, ", ",
                                            dataset.name(FLAGS_extract), ", has no ", FLAGS_field));
  }
  std::string bytes;
  if (image && sample.encoding == data::Encoding::kRawRgb) {
    bytes = absl::StrFormat("P6\n%d %d\n255\n", sample.width, sample.height);
  }
  bytes.append(reinterpret_cast<const char*>(wanted.data()), wanted.size());
  RETURN_IF_ERROR(base::WriteFileAtomically(FLAGS_output, bytes));
  std::cout << absl::StreamFormat("%s: sample %d, %s, class %s\n", FLAGS_output, FLAGS_extract,
                                  dataset.name(FLAGS_extract),
                                  dataset.class_names()[dataset.label(FLAGS_extract)]);
  return absl::OkStatus();
}

void Print(const data::Dataset& dataset, const data::DatasetSummary& summary) {
  std::cout << absl::StreamFormat("%s: %d samples of %d classes, %.1f MB\n", FLAGS_input,
                                  dataset.size(), summary.class_counts.size(), summary.bytes / 1e6);
  const auto& encodings = summary.encoding_counts;
  std::cout << absl::StreamFormat("%d JPEG, %d raw, %d PNG, %d bad\n", encodings[0], encodings[1],
                                  encodings[2], summary.bad.size());
  std::cout << "samples  class\n";
  for (size_t i = 0; i < summary.class_counts.size(); ++i) {
    std::cout << absl::StreamFormat("%7d  %s\n", summary.class_counts[i], dataset.class_names()[i]);
  }
  std::cout << "samples  longer side in pixels\n";
  for (size_t i = 0; i < summary.side_counts.size(); ++i) {
    if (summary.side_counts[i] == 0) continue;
    std::cout << absl::StreamFormat("%7d  %d to %d\n", summary.side_counts[i], 1 << i,
                                    (2 << i) - 1);
  }
  if (!dataset.fields().empty()) {
    std::cout << "fields: " << data::DescribeFields(dataset.fields()) << "\n";
  }
  for (const std::string& line : dataset.left_alone().Lines(data::LeftAlone::kNames)) {
    std::cout << line << "\n";
  }
  for (const data::DamagedSample& bad : summary.bad) {
    std::cout << absl::StreamFormat("bad: sample %d, %s: %s\n", bad.index, bad.name, bad.reason);
  }
}

absl::Status Run() {
  if (FLAGS_input.empty()) return absl::InvalidArgumentError("no dataset is given");
  ASSIGN_OR_RETURN(auto store, tools::StoreFromFlags(FLAGS_input));
  if (!FLAGS_field.empty() && FLAGS_extract < 0) {
    return absl::InvalidArgumentError("--field needs --extract");
  }
  data::FieldChoice fields = {.all = FLAGS_extract < 0};
  if (!FLAGS_field.empty()) fields.names = {FLAGS_field};
  ASSIGN_OR_RETURN(const auto dataset,
                   data::OpenDataset(FLAGS_input, FLAGS_kind,
                                     {.allow_empty_classes = FLAGS_allow_empty_classes,
                                      .store = std::move(store),
                                      .fields = std::move(fields)}));
  if (FLAGS_extract >= 0) return Extract(*dataset);
  if (tools::IsDryRun()) {
    std::cout << absl::StreamFormat("would %s %d samples of %d classes\n",
                                    FLAGS_verify ? "decode" : "look at", dataset->size(),
                                    dataset->class_names().size());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const data::DatasetSummary summary,
                   data::Summarize(*dataset, FLAGS_verify, FLAGS_threads));
  Print(*dataset, summary);
  if (!summary.bad.empty()) {
    return absl::DataLossError(absl::StrCat(FLAGS_input, ": ", summary.bad.size(), " bad samples"));
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Says what is in a data set, and checks it.\n\n"
                        "  inspect shards/train --verify",
                        {}, &Run,
                        /*argument=*/"input");
}
