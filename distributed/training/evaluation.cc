#include "distributed/training/evaluation.h"

#include <utility>

#include "ATen/ops/zeros.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "distributed/communication/rank_agreement.h"
#include "distributed/training/metric_totals.h"

namespace distributed {
namespace {

constexpr char kStream[] = "evaluation";

// Samples of a batch on all ranks; the error of a rank's source on all of them.
absl::StatusOr<int64_t> CountOnAllRanks(const absl::StatusOr<Batch>& mine,
                                        Communicator& communicator) {
  const at::Tensor votes = at::zeros({2}, at::kLong);
  votes[0].fill_(mine.ok() ? 0 : 1);
  votes[1].fill_(mine.ok() ? mine->labels.numel() : 0);
  RETURN_IF_ERROR(communicator.AllReduce(votes, ReduceOp::kSum));
  if (votes[0].item<int64_t>() > 0) {
    RETURN_IF_ERROR(AgreeOnStatus(communicator, mine.status()));
  }
  return votes[1].item<int64_t>();
}

}  // namespace

absl::StatusOr<Evaluation> EvaluateBatches(
    BatchSource& source, const std::function<absl::StatusOr<Metrics>(const Batch&)>& evaluate,
    BadSampleList& bad_samples, int64_t max_bad_samples, Communicator& communicator) {
  RETURN_IF_ERROR(AgreeOnStatus(communicator, source.Seek(/*epoch=*/0, /*step=*/0)));
  Evaluation evaluation;
  MetricTotals totals;
  for (int64_t step = 0; step < source.steps_per_epoch(); ++step) {
    absl::StatusOr<Batch> batch = source.Next();
    ASSIGN_OR_RETURN(const int64_t count, CountOnAllRanks(batch, communicator));
    evaluation.samples += std::exchange(batch->global_count, count);
    evaluation.judged += count;
    if (count == 0) continue;
    batch->loss_weight = static_cast<double>(communicator.size()) / static_cast<double>(count);
    ASSIGN_OR_RETURN(const Metrics metrics, evaluate(*batch));
    totals.Add(metrics);
  }
  source.Pause();
  RETURN_IF_ERROR(bad_samples.Add(kStream, source.TakeSkippedSamples(), communicator));
  RETURN_IF_ERROR(bad_samples.Check(max_bad_samples));
  if (evaluation.judged == 0) {
    const nlohmann::json bad = bad_samples.ToJson();
    return absl::DataLossError(
        absl::StrCat("none of the ", evaluation.samples, " samples can be judged",
                     bad.empty() ? std::string()
                                 : absl::StrCat("; the first is ", DescribeSkippedSample(bad[0]))));
  }
  RETURN_IF_ERROR(totals.Reduce(communicator));
  evaluation.means = totals.Means();
  return evaluation;
}

}  // namespace distributed
