// One rank of a training without a network: what reading and agreeing cost, for scale_test.py.
//
// Rank 0 prints a table, a line for each rank: its opens and bytes before and during the epochs,
// the bytes of its samples, seconds and memory, and its collectives and messages per step.
#include <mpi.h>
#include <stdio.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "data/io/byte_source.h"
#include "data/io/local_store.h"
#include "data/io/scratch_buffer.h"
#include "data/loader/loader.h"
#include "data/loader/sampler.h"
#include "data/pixels/augmentation.h"
#include "data/shard/shard_dataset.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/communication/create_communicator.h"
#include "distributed/communication/host_bytes.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/batch_source.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/task.h"
#include "distributed/training/trainer.h"
#include "gflags/gflags.h"
#include "nlohmann/json.hpp"
#include "tests/distributed/run_program.h"

DEFINE_string(data, "", "Folder of shards.");
DEFINE_string(run, "", "Run folder.");
DEFINE_string(order, "quasi_random", "quasi_random or shuffled.");
DEFINE_int64(batch, 512, "Samples of a batch on all ranks.");
DEFINE_int64(epochs, 1, "Epochs.");

namespace {
std::atomic<int64_t> messages_sent = 0;
}  // namespace

// MPI's own, counted: a program may put its functions in front of MPI's (PMPI_ are those).
extern "C" int MPI_Isend(const void* data, int count, MPI_Datatype type, int peer, int tag,
                         MPI_Comm communicator, MPI_Request* request) {
  ++messages_sent;
  return PMPI_Isend(data, count, type, peer, tag, communicator, request);
}

namespace distributed {
namespace {

struct Counts {
  std::atomic<int64_t> opens = 0;
  std::atomic<int64_t> bytes = 0;
};

// Counts what passes.
class CountingSource : public data::ByteSource {
 public:
  CountingSource(std::shared_ptr<const data::ByteSource> source, Counts* counts)
      : source_(std::move(source)), counts_(*counts) {}

  const std::string& name() const override { return source_->name(); }
  uint64_t size() const override { return source_->size(); }
  void Start(uint64_t offset, size_t count, void* to, Done done) const override {
    counts_.bytes += static_cast<int64_t>(count);
    source_->Start(offset, count, to, std::move(done));
  }
  absl::Status Read(uint64_t offset, size_t count, void* to) const override {
    counts_.bytes += static_cast<int64_t>(count);
    return source_->Read(offset, count, to);
  }
  void WillRead(uint64_t offset, uint64_t count) const override {
    source_->WillRead(offset, count);
  }

 private:
  const std::shared_ptr<const data::ByteSource> source_;
  Counts& counts_;
};

class CountingStore : public data::ByteStore {
 public:
  absl::StatusOr<std::shared_ptr<const data::ByteSource>> Open(const std::string& location,
                                                               absl::string_view content) override {
    ++counts.opens;
    ASSIGN_OR_RETURN(auto source, store_.Open(location, content));
    return std::make_shared<const CountingSource>(std::move(source), &counts);
  }
  int depth() const override { return store_.depth(); }

  Counts counts;

 private:
  data::LocalStore store_;
};

class CountingCommunicator : public Communicator {
 public:
  explicit CountingCommunicator(Communicator* of) : Communicator(of->place()), of_(*of) {}

  std::unique_ptr<Work> AllReduceAsync(at::Tensor tensor, ReduceOp op) override {
    ++collectives;
    return of_.AllReduceAsync(std::move(tensor), op);
  }
  absl::Status AllReduce(const at::Tensor& tensor, ReduceOp op) override {
    ++collectives;
    return of_.AllReduce(tensor, op);
  }
  absl::Status Broadcast(const at::Tensor& tensor, int root) override {
    ++collectives;
    return of_.Broadcast(tensor, root);
  }
  absl::StatusOr<at::Tensor> AllGather(const at::Tensor& tensor) override {
    ++collectives;
    return of_.AllGather(tensor);
  }
  absl::Status Barrier() override {
    ++collectives;
    return of_.Barrier();
  }
  void Abandon() override { of_.Abandon(); }

  int64_t collectives = 0;

 private:
  Communicator& of_;
};

// Looks at the samples, and learns nothing.
class StubTask : public Task {
 public:
  explicit StubTask(const CountingCommunicator* communicator) : communicator_(*communicator) {}

  std::vector<std::string> streams() const override { return {"train"}; }
  void BeginEpoch(int64_t, int64_t) override {}
  absl::StatusOr<Metrics> Step(const StepContext& context,
                               absl::Span<const Batch> batches) override {
    if (context.global_step == 1) {
      first_ = communicator_.collectives;
      first_message_ = messages_sent;
    }
    last_ = communicator_.collectives;
    last_message_ = messages_sent;
    steps_ = context.global_step - 1;
    const at::Tensor& ids = batches[0].sample_ids;
    for (int64_t i = 0; i < ids.numel(); ++i) {
      ids_.push_back(ids.const_data_ptr<int64_t>()[i]);
    }
    return Metrics{{"loss", {at::zeros({}), ids.numel()}}};
  }
  absl::StatusOr<Metrics> Evaluate(const Batch&) override { return Metrics(); }
  base::TensorMap State() const override { return {{"nothing", at::zeros({1})}}; }
  absl::Status LoadState(const base::TensorMap&) override { return absl::OkStatus(); }
  nlohmann::json EpochSummary() const override { return nlohmann::json::object(); }
  nlohmann::json Config() const override { return nlohmann::json::object(); }

  const std::vector<int64_t>& ids() const { return ids_; }
  double collectives_per_step() const { return PerStep(last_ - first_); }
  double messages_per_step() const { return PerStep(last_message_ - first_message_); }

 private:
  double PerStep(int64_t count) const {
    return steps_ > 0 ? static_cast<double>(count) / static_cast<double>(steps_) : 0;
  }

  const CountingCommunicator& communicator_;
  std::vector<int64_t> ids_;
  int64_t first_ = 0, last_ = 0, first_message_ = 0, last_message_ = 0, steps_ = 0;
};

// Bytes of samples, restart tables included, as they stand in the shards.
absl::StatusOr<int64_t> BytesOf(const data::Dataset& dataset, const std::vector<int64_t>& ids,
                                const Counts& counts) {
  data::ScratchBuffer buffer;
  const int64_t before = counts.bytes;
  for (const int64_t id : ids) RETURN_IF_ERROR(dataset.Read(id, buffer).status());
  return counts.bytes - before;
}

int64_t PeakMegabytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

absl::Status Run() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Communicator> under,
                   CreateCommunicator({.timeout = absl::Minutes(5)}));
  CountingCommunicator communicator(under.get());
  const int64_t memory_before = PeakMegabytes();
  const absl::Time begin = absl::Now();
  const auto store = std::make_shared<CountingStore>();
  const auto share = [&](const std::function<absl::StatusOr<std::string>()>& make) {
    return ShareOnHost(*under, make);
  };
  ASSIGN_OR_RETURN(const auto dataset, data::ShardDataset::Open(FLAGS_data, store, share));
  const double open_seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  const int64_t opens = store->counts.opens, open_bytes = store->counts.bytes;

  data::LoaderOptions loader;
  loader.augmentation = data::CifarEval();
  loader.order = FLAGS_order == "shuffled" ? data::Order::kShuffled : data::Order::kQuasiRandom;
  loader.global_batch = FLAGS_batch;
  loader.rank = communicator.rank();
  loader.world_size = communicator.size();
  ASSIGN_OR_RETURN(const auto source, LoaderSource::Create(*dataset, loader));
  StubTask task(&communicator);
  TrainerOptions options;
  options.run_folder = FLAGS_run;
  options.epochs = FLAGS_epochs;
  options.show = TrainerOptions::Show::kNothing;
  options.tensorboard = false;
  RETURN_IF_ERROR(Train(task, {source.get()}, nullptr, communicator, options).status());

  // What the loader has made ahead belongs to an epoch that does not come.
  const int64_t read = store->counts.bytes - open_bytes;
  const int64_t all_opens = store->counts.opens;
  ASSIGN_OR_RETURN(const int64_t needed, BytesOf(*dataset, task.ids(), store->counts));
  const nlohmann::json mine = {{"opens", opens},
                               {"all_opens", all_opens},
                               {"open_bytes", open_bytes},
                               {"open_seconds", open_seconds},
                               {"read", read},
                               {"needed", needed},
                               {"samples", task.ids().size()},
                               {"memory", PeakMegabytes() - memory_before},
                               {"peak", PeakMegabytes()},
                               {"collectives", task.collectives_per_step()},
                               {"messages", task.messages_per_step()}};
  ASSIGN_OR_RETURN(const auto all, AllGatherStrings(*under, mine.dump()));
  if (communicator.rank() == 0) {
    for (const std::string& line : all) printf("rank %s\n", line.c_str());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace distributed

int main(int argc, char** argv) { return distributed::RunProgram(argc, argv, distributed::Run); }
