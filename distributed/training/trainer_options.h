// How a run is to be trained, beyond its Task.
#ifndef DISTRIBUTED_TRAINING_TRAINER_OPTIONS_H_
#define DISTRIBUTED_TRAINING_TRAINER_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace distributed {

struct TrainerOptions {
  std::string run_folder;
  int64_t epochs = 1;
  uint64_t seed = 0;
  int64_t report_every_steps = 50;

  // A checkpoint is written at the end of every epoch, at a signal that asks for the run's end
  // (stop_signal.h), and moreover every so many steps (0: never) and whenever so much time has
  // passed since the last one.
  int64_t checkpoint_every_steps = 0;
  absl::Duration checkpoint_interval = absl::Minutes(15);
  int keep_checkpoints = 3;  // The newest ones; the best one is kept besides.

  // Where to start from: "none" (a run folder that has checkpoints or results is then refused),
  // "auto" (the newest checkpoint of the run folder that is whole, or the beginning), or a
  // checkpoint's path. Later checkpoints of the run folder are put aside.
  std::string resume = "none";

  // What must be alike on all ranks besides Task::Config() and the build, and between a checkpoint
  // and the run that resumes it: which data, by its content.
  nlohmann::json data = nlohmann::json::object();

  // Every setting as the user gave it, for people: kept in config.json with what decides the
  // result.
  nlohmann::json settings = nlohmann::json::object();

  // The same as lines for the log; empty: nothing is said.
  std::string settings_text;

  // What rank 0 shows on standard output: nothing, plain lines as in the log, or on a terminal a
  // bar that is drawn anew and a line for each epoch.
  enum class Show { kNothing, kLines, kBar };
  Show show = Show::kBar;

  // Whether the run folder gets a file of events for TensorBoard as well (event_file.h).
  bool tensorboard = true;

  // How many damaged samples may be left out (negative: any number), where the sources do so.
  int64_t max_bad_samples = -1;

  // Whether the run is to have the same bits on every processor (base/arithmetic.h). Part of what
  // decides its result: one that began so does not go on otherwise, nor the other way round.
  bool reproducible = false;

  // What computes the run's numbers (base/arithmetic.h), for the log; empty: nothing is said.
  std::string arithmetic;

  // Compares the whole state between ranks after every step; an error names the first tensor that
  // differs. For debugging: it reads every tensor.
  bool check_ranks = false;
};

}  // namespace distributed

#endif  // DISTRIBUTED_TRAINING_TRAINER_OPTIONS_H_
