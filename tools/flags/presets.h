// The named settings of the published experiments (QDARTS/train_search.py,
// train_search_imagenet.py, train.py, train_imagenet.py; PC-DARTS; EdMIPS for fixed_bits), and of
// the quick start.
#ifndef TOOLS_FLAGS_PRESETS_H_
#define TOOLS_FLAGS_PRESETS_H_

#include <map>
#include <string>

namespace tools {

// A named set of flag values: flag name -> value as one would write it on the command line.
using Preset = std::map<std::string, std::string>;
using Presets = std::map<std::string, Preset>;

// cifar, imagenet, pcdarts (float, CIFAR), quickstart.
const Presets& SearchPresets();

// cifar, imagenet, fixed_bits, quickstart.
const Presets& TrainPresets();

}  // namespace tools

#endif  // TOOLS_FLAGS_PRESETS_H_
