#include "tools/flags/architecture_flags.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/published_genotypes.h"
#include "quant/lattice.h"
#include "quant/names.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/tool.h"

DEFINE_string(architecture, "", "Architecture file of a search.");
DEFINE_string(
    arch, "",
    "Instead of --architecture: a published genotype's name (PC_DARTS_image), or a genotype "
    "as text or JSON.");
DEFINE_int64(channels, 36, "With --arch: channels of the first cell's nodes.");
DEFINE_int32(layers, 20, "With --arch: cells.");
DEFINE_bool(auxiliary, true, "With --arch: train with an auxiliary head.");
DEFINE_bool(quantize_stem, false,
            "The convolutions of stem and auxiliary head have bits, too, as in the published FBQAT "
            "and QSubNet.");
DEFINE_int64(abits, 32,
             "Bits of every activation; 32: not quantized. With --architecture, any of --abits, "
             "--wbits and --quantize_stem replaces all bits of the file.");
DEFINE_int64(wbits, 32, "Bits of every weight, likewise.");
DEFINE_string(
    gammas, "",
    "With --arch, instead of --abits and --wbits: a gamma_checkpoint.t7 to take bits from.");
DEFINE_string(bits, "2,4", "With --gammas: the bits that were searched among.");
DEFINE_string(depth_rule, "published",
              "With --gammas: which searched cell a cell takes its bits from: published or "
              "proportional.");
DEFINE_int64(default_bits, 0,
             "With --gammas: bits of operations that no search has gammas for (sep_conv_7x7, "
             "conv_7x1_1x7); 0: the most of --bits.");
DEFINE_string(eight_bit, "published",
              "With --arch: the 8-bit quantizer: published, published_search or symmetric.");

namespace tools {
namespace {

// An architecture file decides all of these.
constexpr const char* kFlagsOfArch[] = {"arch",      "channels", "layers",     "auxiliary",
                                        "gammas",    "bits",     "depth_rule", "default_bits",
                                        "eight_bit", "images",   "image_size"};

// The file's network with all bits from flags.
absl::StatusOr<nas::Architecture> WithUniformBits(const nas::Architecture& file) {
  nas::NetworkShape network = file.network;
  if (GivenByUser("quantize_stem")) network.quantize_stem = FLAGS_quantize_stem;
  ASSIGN_OR_RETURN(nas::Architecture architecture,
                   nas::UniformArchitecture(file.genotype, network, {FLAGS_abits, FLAGS_wbits}));
  architecture.eight_bit = file.eight_bit;
  return architecture;
}

absl::StatusOr<nas::Architecture> FromFile(int64_t classes) {
  for (const char* flag : kFlagsOfArch) {
    if (GivenByUser(flag)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": contradicts --architecture, whose file decides it"));
    }
  }
  ASSIGN_OR_RETURN(nas::Architecture architecture, nas::ReadArchitecture(FLAGS_architecture));
  if (architecture.network.classes != classes) {
    return absl::InvalidArgumentError(absl::StrCat(FLAGS_architecture, ": is for ",
                                                   architecture.network.classes,
                                                   " classes, the data has ", classes));
  }
  if (GivenByUser("abits") || GivenByUser("wbits") || GivenByUser("quantize_stem")) {
    return WithUniformBits(architecture);
  }
  return architecture;
}

// The architecture with the bits that --gammas has chosen.
absl::Status AssignSearchedBits(nas::Architecture& architecture) {
  for (const char* flag : {"abits", "wbits"}) {
    if (GivenByUser(flag)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": contradicts --gammas, which decide the bits"));
    }
  }
  nas::BitAssignmentOptions options;
  ASSIGN_OR_RETURN(options.candidates, IntegersOfFlag("bits", FLAGS_bits));
  ASSIGN_OR_RETURN(options.rule, ValueOfFlag("depth_rule", nas::ParseDepthRule(FLAGS_depth_rule)));
  if (FLAGS_default_bits != 0) {
    if (!quant::IsSupportedBits(FLAGS_default_bits)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--default_bits=", FLAGS_default_bits, ": must be 0, 1, 2, 3, 4, 8 or 32"));
    }
    options.default_bits = {FLAGS_default_bits, FLAGS_default_bits};
  }
  ASSIGN_OR_RETURN(const nas::GammaChoices choices, nas::GammaChoices::Read(FLAGS_gammas));
  ASSIGN_OR_RETURN(const nas::DerivedLayout layout,
                   nas::MakeDerivedLayout(architecture.genotype, architecture.network));
  ASSIGN_OR_RETURN(architecture.bits,
                   ValueOfFlag("gammas", nas::AssignBits(choices, layout, options)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<nas::Architecture> ArchitectureFromFlags(int64_t classes) {
  if (!FLAGS_architecture.empty()) return FromFile(classes);
  if (FLAGS_arch.empty()) {
    return absl::InvalidArgumentError("--architecture or --arch is required");
  }
  ASSIGN_OR_RETURN(const nas::Genotype genotype,
                   ValueOfFlag("arch", nas::ResolveGenotype(FLAGS_arch)));
  ASSIGN_OR_RETURN(const InputShape input, InputShapeFromFlags());
  const nas::NetworkShape shape = {.images = input.images,
                                   .image_side = input.side,
                                   .channels = FLAGS_channels,
                                   .layers = FLAGS_layers,
                                   .classes = classes,
                                   .auxiliary = FLAGS_auxiliary,
                                   .quantize_stem = FLAGS_quantize_stem};
  ASSIGN_OR_RETURN(nas::Architecture architecture,
                   nas::UniformArchitecture(genotype, shape,
                                            {.activation = FLAGS_abits, .weight = FLAGS_wbits}));
  ASSIGN_OR_RETURN(architecture.eight_bit,
                   ValueOfFlag("eight_bit", quant::ParseEightBit(FLAGS_eight_bit)));
  if (!FLAGS_gammas.empty()) RETURN_IF_ERROR(AssignSearchedBits(architecture));
  return architecture;
}

}  // namespace tools
