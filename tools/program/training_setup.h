// What every training of a derived network begins with, from flags: the images, the ranks, the
// network and where its weights start.
#ifndef TOOLS_PROGRAM_TRAINING_SETUP_H_
#define TOOLS_PROGRAM_TRAINING_SETUP_H_

#include <functional>
#include <memory>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/pixels/mixing.h"
#include "data/sources/dataset.h"
#include "distributed/communication/communicator.h"
#include "distributed/training/loader_source.h"
#include "distributed/training/trainer.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "tools/program/run_estimate.h"

namespace tools {

struct TrainingSetup {
  std::unique_ptr<data::Dataset> train_data;
  std::unique_ptr<data::Dataset> test_data;  // May be null.
  nas::Architecture architecture;
  std::unique_ptr<distributed::Communicator> communicator;
  std::unique_ptr<distributed::LoaderSource> train;
  std::unique_ptr<distributed::LoaderSource> test;  // Null without test_data.
  std::shared_ptr<nas::DerivedNetwork> network;     // On --device.
};

// From --train_data, --test_data, --initial_weights and the flags of architecture, loader and
// device. Seeds LibTorch with options.seed and enters the data into options.data. InvalidArgument
// naming the flag, or the file's field, that is wrong. `mixing` is what becomes of training images.
absl::StatusOr<TrainingSetup> TrainingSetupFromFlags(distributed::TrainerOptions& options,
                                                     const data::Mixing& mixing = {});

// What this training takes, as far as a network `like` the one to be trained tells; `forward` is
// its. ResourceExhausted, on every rank alike, if steps need more memory than the ranks of a host
// have. Steps are tried on the CPU only.
absl::StatusOr<RunEstimate> EstimateTraining(
    const TrainingSetup& setup, const nas::DerivedNetwork& like,
    const std::function<nas::DerivedNetwork::Output(const at::Tensor& images)>& forward);

}  // namespace tools

#endif  // TOOLS_PROGRAM_TRAINING_SETUP_H_
