// How long a step waits for a checkpoint: written in place, and by CheckpointWriter.
//
//   bazel run //distributed/training:checkpoint_writer_benchmark -- --megabytes=30 --folder=/tmp
#include <stdio.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ATen/ops/ones.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/median.h"
#include "distributed/training/checkpoint_writer.h"
#include "gflags/gflags.h"
#include "glog/logging.h"

DEFINE_double(megabytes, 30, "Size of the state: weights and momenta of the CIFAR network.");
DEFINE_int32(tensors, 1000, "How many tensors it is in.");
DEFINE_string(folder, "/tmp", "Where to write.");
DEFINE_int32(repeats, 11, "Measurements, of which the median counts.");

namespace distributed {
namespace {

// Milliseconds.
template <typename Body>
double Time(const Body& body) {
  const absl::Time start = absl::Now();
  const absl::Status status = body();
  CHECK(status.ok()) << status;
  return absl::ToDoubleMilliseconds(absl::Now() - start);
}

void Run() {
  Checkpoint checkpoint = {.state = {}, .description = nlohmann::json::object()};
  for (int i = 0; i < FLAGS_tensors; ++i) {
    checkpoint.state.emplace(
        absl::StrCat("tensor", i),
        at::ones({static_cast<int64_t>(FLAGS_megabytes * 1e6 / 4 / FLAGS_tensors)}));
  }
  const std::string folder = FLAGS_folder + "/checkpoint_benchmark";
  CheckpointStore store(folder, /*keep=*/2);
  CHECK(store.Open().ok());
  CheckpointWriter writer(&store);
  std::vector<double> in_place, stall, written;
  for (int i = 0; i < FLAGS_repeats; ++i) {
    in_place.push_back(Time([&] { return store.Write(2 * i, checkpoint, std::nullopt); }));
    stall.push_back(Time([&] { return writer.Start(2 * i + 1, checkpoint, std::nullopt); }));
    written.push_back(stall.back() + Time([&] { return writer.Finish(); }));
  }
  std::filesystem::remove_all(folder);
  printf("%.0f MB in %d tensors, medians of %d\n", FLAGS_megabytes, FLAGS_tensors, FLAGS_repeats);
  printf("written in place           %8.1f ms\n", base::Median(in_place));
  printf("copied, written meanwhile  %8.1f ms, until it is on the disk %.1f ms\n",
         base::Median(stall), base::Median(written));
  printf("ratio %.1f\n", base::Median(in_place) / base::Median(stall));
}

}  // namespace
}  // namespace distributed

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  distributed::Run();
  return 0;
}
