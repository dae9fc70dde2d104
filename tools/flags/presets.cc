#include "tools/flags/presets.h"

#include <utility>

namespace tools {
namespace {

// `base` with the values of `changes`.
Preset With(Preset base, const Preset& changes) {
  for (const auto& [flag, value] : changes) base[flag] = value;
  return base;
}

const Preset& SmallImages() {
  static const auto* preset = new Preset{{"images", "cifar"}, {"image_size", "32"}};
  return *preset;
}

const Preset& CifarImages() {
  static const auto* preset = new Preset(With(SmallImages(), {{"padding", "4"}, {"flip", "true"}}));
  return *preset;
}

const Preset& ImageNetImages() {
  static const auto* preset = new Preset{{"images", "imagenet"}, {"image_size", "224"}};
  return *preset;
}

// Handwritten digits: a mirrored one is none.
const Preset& DigitImages() {
  static const auto* preset =
      new Preset(With(SmallImages(), {{"padding", "2"}, {"flip", "false"}}));
  return *preset;
}

// The published training at fixed bits, and that of QSubNet's search, but for images and size.
const Preset& FixedBitsTraining() {
  static const auto* preset =
      new Preset{{"batch", "128"},         {"epochs", "50"},    {"weight_lr", "0.1"},
                 {"lr_schedule", "step"},  {"lr_decay", "0.1"}, {"lr_decay_epochs", "15"},
                 {"weight_decay", "1e-4"}, {"grad_clip", "0"},  {"auxiliary_weight", "0.4"}};
  return *preset;
}

const Preset& CifarSize() {
  static const auto* preset = new Preset{{"channels", "36"}, {"layers", "20"}};
  return *preset;
}

const Preset& ImageNetSize() {
  static const auto* preset = new Preset{{"channels", "48"}, {"layers", "14"}};
  return *preset;
}

// Clothes: mirrored ones are others of the same kind; few stand off the middle.
const Preset& FashionImages() {
  static const auto* preset = new Preset(With(SmallImages(), {{"padding", "2"}, {"flip", "true"}}));
  return *preset;
}

// What two cores train in minutes.
const Preset& LittleSize() {
  static const auto* preset =
      new Preset{{"channels", "8"}, {"layers", "5"}, {"auxiliary", "false"}};
  return *preset;
}

const Preset& DigitTraining() {
  static const auto* preset =
      new Preset{{"batch", "64"},        {"epochs", "10"},         {"weight_lr", "0.1"},
                 {"lr_by_step", "true"}, {"weight_decay", "3e-4"}, {"report_steps", "11"}};
  return *preset;
}

// 60,000 images: an epoch is what ten and more are of the digits.
const Preset& FashionTraining() {
  static const auto* preset =
      new Preset(With(DigitTraining(), {{"epochs", "3"}, {"report_steps", "100"}}));
  return *preset;
}

// Of one of EdMIPS's networks.
Preset EdmipsImages(const std::string& network) {
  return {{"network", network},
          {"images", "imagenet"},
          {"image_size", network == "edmips_inception_v3" ? "299" : "224"}};
}

Preset EdmipsTraining(const std::string& network, const std::string& epochs,
                      const std::string& decay_epochs) {
  return With(With(FixedBitsTraining(), EdmipsImages(network)),
              {{"batch", "256"}, {"epochs", epochs}, {"lr_decay_epochs", decay_epochs}});
}

// The complexity's weight in the search of each, as published.
const Preset& EdmipsNetworks() {
  static const auto* networks = new Preset{{"edmips_resnet18", "0.00335"},
                                           {"edmips_resnet50", "0.00015"},
                                           {"edmips_googlenet", "0.00045"},
                                           {"edmips_inception_v3", "0.0015"}};
  return *networks;
}

}  // namespace

const Presets& SearchPresets() {
  static const auto* presets = [] {
    const Preset cifar = With(CifarImages(), {{"channels", "16"},
                                              {"layers", "8"},
                                              {"partial_channels", "4"},
                                              {"batch", "256"},
                                              {"epochs", "50"},
                                              {"weight_lr", "0.1"},
                                              {"weight_lr_min", "0"},
                                              {"weight_decay", "3e-4"},
                                              {"alpha_lr", "6e-4"},
                                              {"alpha_weight_decay", "1e-3"},
                                              {"alpha_begin", "15"},
                                              {"gamma_lr", "0.01"},
                                              {"gamma_start", "1e-5"},
                                              {"gamma_weight_decay", "1e-3"},
                                              {"complexity_decay", "1e-4"},
                                              {"train_fraction", "0.5"},
                                              {"search_fraction", "0.5"},
                                              {"derive_channels", "36"},
                                              {"derive_layers", "20"},
                                              {"seed", "2"}});
    const Preset imagenet = With(With(cifar, ImageNetImages()), {{"partial_channels", "2"},
                                                                 {"batch", "1024"},
                                                                 {"weight_lr", "0.5"},
                                                                 {"warmup_epochs", "5"},
                                                                 {"alpha_lr", "6e-3"},
                                                                 {"alpha_begin", "35"},
                                                                 {"alpha_grad_clip", "5"},
                                                                 {"train_fraction", "0.1"},
                                                                 {"search_fraction", "0.025"},
                                                                 {"derive_channels", "48"},
                                                                 {"derive_layers", "14"}});
    const Preset quickstart = With(With(cifar, DigitImages()), {{"channels", "8"},
                                                                {"layers", "5"},
                                                                {"batch", "64"},
                                                                {"epochs", "6"},
                                                                {"lr_by_step", "true"},
                                                                {"alpha_begin", "0"},
                                                                {"alpha_lr", "6e-3"},
                                                                {"gamma_optimizer", "adam"},
                                                                {"gamma_lr", "0.05"},
                                                                {"derive_channels", "8"},
                                                                {"derive_layers", "5"},
                                                                {"derive_auxiliary", "false"},
                                                                {"report_steps", "2"}});
    // Twice a tenth of the 60,000 images, seen six times: weights settle for an epoch before alphas
    // move.
    const Preset fashion = With(With(quickstart, FashionImages()), {{"epochs", "6"},
                                                                    {"alpha_begin", "1"},
                                                                    {"train_fraction", "0.1"},
                                                                    {"search_fraction", "0.1"},
                                                                    {"report_steps", "20"}});
    return new Presets{{"cifar", cifar},
                       {"fashion", fashion},
                       {"imagenet", imagenet},
                       {"pcdarts", With(cifar, {{"bits", "32"}})},
                       {"quickstart", quickstart}};
  }();
  return *presets;
}

const Presets& TrainPresets() {
  static const auto* presets = [] {
    const Preset cifar = With(With(CifarImages(), CifarSize()), {{"batch", "96"},
                                                                 {"epochs", "600"},
                                                                 {"weight_lr", "0.025"},
                                                                 {"weight_decay", "3e-4"},
                                                                 {"auxiliary_weight", "0.4"},
                                                                 {"cutout", "16"},
                                                                 {"drop_path", "0.3"}});
    const Preset imagenet =
        With(With(ImageNetImages(), ImageNetSize()), {{"batch", "1024"},
                                                      {"epochs", "250"},
                                                      {"weight_lr", "0.5"},
                                                      {"lr_schedule", "linear"},
                                                      {"warmup_epochs", "5"},
                                                      {"weight_decay", "3e-5"},
                                                      {"auxiliary_weight", "0.4"},
                                                      {"label_smoothing", "0.1"}});
    Presets all = {{"cifar", cifar},
                   {"imagenet", imagenet},
                   {"fashion", With(With(FashionImages(), LittleSize()), FashionTraining())},
                   {"fixed_bits", With(With(CifarImages(), CifarSize()), FixedBitsTraining())},
                   {"quickstart", With(With(DigitImages(), LittleSize()), DigitTraining())}};
    for (const auto& [network, decay] : EdmipsNetworks()) {
      all[network] = EdmipsTraining(network, "95", "30");
    }
    return new Presets(std::move(all));
  }();
  return *presets;
}

const Presets& PrecisionSearchPresets() {
  static const auto* presets = [] {
    const Preset cifar = With(With(CifarImages(), CifarSize()), FixedBitsTraining());
    Presets all = {{"cifar", cifar},
                   {"imagenet", With(With(ImageNetImages(), ImageNetSize()), FixedBitsTraining())},
                   {"fashion", With(With(FashionImages(), LittleSize()), FashionTraining())},
                   {"fixed_bits", cifar},
                   {"quickstart", With(With(DigitImages(), LittleSize()), DigitTraining())}};
    for (const auto& [network, decay] : EdmipsNetworks()) {
      all[network] = With(EdmipsTraining(network, "25", "10"), {{"activation_bits", "2,3,4"},
                                                                {"weight_bits", "1,2,3,4"},
                                                                {"gamma_lr", "0.01"},
                                                                {"complexity_decay", decay}});
    }
    return new Presets(std::move(all));
  }();
  return *presets;
}

const Presets& EvaluationPresets() {
  static const auto* presets = [] {
    const Preset cifar = With(SmallImages(), CifarSize());
    Presets all = {{"cifar", cifar},
                   {"imagenet", With(ImageNetImages(), ImageNetSize())},
                   {"fashion", With(SmallImages(), LittleSize())},
                   {"fixed_bits", cifar},
                   {"quickstart", With(SmallImages(), LittleSize())}};
    for (const auto& [network, decay] : EdmipsNetworks()) all[network] = EdmipsImages(network);
    return new Presets(std::move(all));
  }();
  return *presets;
}

}  // namespace tools
