// The named settings of the published experiments (QDARTS/train_search.py,
// train_search_imagenet.py, train.py, train_imagenet.py; PC-DARTS; EdMIPS for fixed_bits), and of
// the quick start and the comparison on Fashion-MNIST, whose sizes fit two cores.
#ifndef TOOLS_FLAGS_PRESETS_H_
#define TOOLS_FLAGS_PRESETS_H_

#include <map>
#include <string>

namespace tools {

// A named set of flag values: flag name -> value as one would write it on the command line.
using Preset = std::map<std::string, std::string>;
using Presets = std::map<std::string, Preset>;

// cifar, fashion, imagenet, pcdarts (float, CIFAR), quickstart. The weight of the complexity is the
// published one, which --cost_model=exact keeps (tools/program/complexity_unit.h).
const Presets& SearchPresets();

// cifar, fashion, imagenet, fixed_bits, quickstart, and those of EdMIPS's networks by their names,
// in float unless bits are given. fixed_bits does not clip gradients, as published, and drops no
// paths; the published FBQAT keeps drop path at 0.2 from the first epoch to the last, which is not
// the rising one of --drop_path.
const Presets& TrainPresets();

// cifar, fashion, imagenet, fixed_bits (cifar), quickstart: the published search of QSubNet. Of
// EdMIPS's networks, by their names, that of EdMIPS.
const Presets& PrecisionSearchPresets();

// The names of the above: images and size of the network, for a genotype.
const Presets& EvaluationPresets();

}  // namespace tools

#endif  // TOOLS_FLAGS_PRESETS_H_
