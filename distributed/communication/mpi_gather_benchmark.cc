// What rounds save: an all-gather in ceil(log2(R)) rounds against R-1 direct messages per rank, the
// baseline.
//
//   bazel-bin/tools/local_mpirun 16 bazel-bin/distributed/communication/mpi_gather_benchmark
//
// Blocks of 24 bytes, what ranks agree with, of 1.5 KB, the moments of 64 channels, and of 16 KB,
// the largest that take rounds. Both ways alternate, so that what else runs slows both. With more
// ranks than cores a round costs as much as it takes all ranks to get their turn, which says
// nothing of ranks with a core each. So on two ranks it also measures what that depends on: the
// time t of a round, one message each way, and the time o of each further message. Then R ranks
// take t + (R-2)·o directly, and ceil(log2(R))·t in rounds.
#include <mpi.h>
#include <stdio.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/median.h"
#include "distributed/communication/mpi_exchange.h"
#include "distributed/communication/mpi_gather.h"
#include "distributed/communication/mpi_roll_call.h"

namespace distributed {
namespace {

constexpr int kRepeats = 41;
constexpr int kGathersPerRepeat = 20;
constexpr int kFurther = 64;

class Benchmark {
 public:
  Benchmark(int rank, int size)
      : rank_(rank), size_(size), roll_call_(rank, size, absl::Minutes(5)) {}

  // Whether all went well.
  bool Measure(int64_t bytes) {
    std::vector<double> direct, rounds;
    for (int i = 0; i < kRepeats; ++i) {
      direct.push_back(Seconds(
          [&](char* all, const auto& options) {
            return GatherDirectly(rank_, size_, bytes, all, options);
          },
          bytes));
      rounds.push_back(Seconds(
          [&](char* all, const auto& options) {
            return GatherInRounds(rank_, size_, bytes, all, options);
          },
          bytes));
    }
    if (rank_ == 0) {
      const double baseline = base::Median(direct), seconds = base::Median(rounds);
      printf("%6ld bytes on %d ranks: direct %8.1f us, in rounds %8.1f us, ratio %.2f\n", bytes,
             size_, baseline * 1e6, seconds * 1e6, baseline / seconds);
    }
    return ok_;
  }

  // On two ranks.
  bool MeasureConstants() {
    std::vector<double> one, many;
    for (int i = 0; i < kRepeats; ++i) {
      one.push_back(
          Seconds([this](char* to, const auto& options) { return Swap(1, to, options); }, 24));
      many.push_back(Seconds(
          [this](char* to, const auto& options) { return Swap(1 + kFurther, to, options); }, 24));
    }
    if (rank_ == 0) {
      const double round = base::Median(one), message = (base::Median(many) - round) / kFurther;
      printf(
          "a round of 24 bytes %.2f us, a further message %.2f us: on 16 ranks direct %.0f us, "
          "in rounds %.0f us; on 64: %.0f, %.0f; on 1024: %.0f, %.0f\n",
          round * 1e6, message * 1e6, (round + 14 * message) * 1e6, 4 * round * 1e6,
          (round + 62 * message) * 1e6, 6 * round * 1e6, (round + 1022 * message) * 1e6,
          10 * round * 1e6);
    }
    return ok_;
  }

 private:
  absl::Status Swap(int messages, char* to, const ExchangeOptions& options) {
    const int peer = 1 - rank_;
    return Exchange(std::vector<Message>(messages, {peer, to + 24 * rank_, 24}),
                    std::vector<Message>(messages, {peer, to + 24 * peer, 24}), options);
  }

  double Seconds(absl::FunctionRef<absl::Status(char*, const ExchangeOptions&)> collective,
                 int64_t bytes) {
    std::vector<char> all(bytes * size_);
    MPI_Barrier(MPI_COMM_WORLD);
    const absl::Time start = absl::Now();
    for (int i = 0; i < kGathersPerRepeat; ++i) {
      roll_call_.Begin(sequence_++);
      const ExchangeOptions options{static_cast<int>(sequence_ % RollCall::kTag),
                                    [](int peer) { return absl::StrCat("rank ", peer); }, &waiting_,
                                    &roll_call_};
      ok_ = ok_ && collective(all.data(), options).ok();
      roll_call_.End();
    }
    return absl::ToDoubleSeconds(absl::Now() - start) / kGathersPerRepeat;
  }

  const int rank_, size_;
  RollCall roll_call_;
  const std::atomic<int> waiting_ = 1;
  int64_t sequence_ = 0;
  bool ok_ = true;
};

}  // namespace
}  // namespace distributed

int main() {
  MPI_Init(nullptr, nullptr);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  distributed::Benchmark benchmark(rank, size);
  bool ok = size != 2 || benchmark.MeasureConstants();
  for (const int64_t bytes : {int64_t{24}, int64_t{1536}, distributed::kSmallBytes}) {
    ok = ok && benchmark.Measure(bytes);
  }
  MPI_Finalize();
  return ok ? 0 : 1;
}
