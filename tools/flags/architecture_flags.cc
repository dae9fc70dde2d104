#include "tools/flags/architecture_flags.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "gflags/gflags.h"
#include "nas/derivation/bit_assignment.h"
#include "nas/derivation/gamma_choices.h"
#include "nas/derived/derived_layout.h"
#include "nas/networks/fixed_networks.h"
#include "nas/space/genotype_module.h"
#include "nas/space/published_genotypes.h"
#include "quant/lattice.h"
#include "quant/names.h"
#include "tools/flags/bits_flags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/flag_registry.h"
#include "tools/flags/flag_values.h"
#include "tools/flags/nearest_name.h"

DEFINE_string(
    architecture, "",
    "The network: the architecture file of a search, or a genotype: a published one's "
    "name (PC_DARTS_image), one as text or JSON, or FILE.py:NAME, one of a genotypes.py.");
DEFINE_string(
    network, "",
    "Instead of --architecture, a network whose structure is given: by name "
    "(edmips_resnet18, resnet50, …), or the file of one whose bits were found.");
DEFINE_int64(channels, 36, "Of a genotype: channels of the first cell's nodes.");
FLAG_RANGE(channels, tools::FromTo(1, 65536));
DEFINE_int32(layers, 20, "Of a genotype: cells.");
FLAG_RANGE(layers, tools::FromTo(1, 1000));
DEFINE_bool(auxiliary, true, "Of a genotype: train with an auxiliary head.");
DEFINE_bool(quantize_stem, false,
            "The convolutions of stem and auxiliary head have bits, too, as in the published FBQAT "
            "and QSubNet.");
DEFINE_int64(abits, 32,
             "Bits of every activation; 32: not quantized. Any of --abits, --wbits and "
             "--quantize_stem replaces all bits of an architecture or network file.");
FLAG_RANGE(abits, tools::FromTo(1, 32));
DEFINE_int64(wbits, 32, "Bits of every weight, likewise.");
FLAG_RANGE(wbits, tools::FromTo(1, 32));
DEFINE_string(gammas, "",
              "Of a genotype, instead of --abits and --wbits: a gamma_checkpoint.t7 to take bits "
              "from.");
DEFINE_string(depth_rule, "published",
              "With --gammas: which searched cell a cell takes its bits from.");
FLAG_CHOICES(depth_rule, {"published", "proportional"});
DEFINE_int64(default_bits, 0,
             "With --gammas: bits of operations that no search has gammas for (sep_conv_7x7, "
             "conv_7x1_1x7); 0: the most of --bits.");
FLAG_RANGE(default_bits, tools::FromTo(0, 32));
DEFINE_string(eight_bit, "published", "Of a genotype: the quantizer of 5 to 8 bits.");
FLAG_CHOICES(eight_bit, {"published", "published_search", "symmetric"});

namespace tools {
namespace {

// An architecture file decides all of these.
constexpr const char* kFlagsOfGenotype[] = {"channels", "layers",     "auxiliary",    "gammas",
                                            "bits",     "depth_rule", "default_bits", "eight_bit",
                                            "images",   "image_size"};

// Of a fixed network, these say nothing.
constexpr const char* kFlagsOfCells[] = {"architecture", "channels",     "layers",
                                         "auxiliary",    "gammas",       "depth_rule",
                                         "default_bits", "quantize_stem"};

absl::Status RefuseFlags(absl::Span<const char* const> flags, const std::string& decided_by) {
  for (const char* flag : flags) {
    if (GivenByUser(flag)) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag, ": contradicts ", decided_by));
    }
  }
  return absl::OkStatus();
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// Whether --architecture is a genotype: a published name, or text, which has brackets.
bool NamesGenotype() {
  if (nas::PublishedGenotype(FLAGS_architecture).ok()) return true;
  return !Exists(FLAGS_architecture) && FLAGS_architecture.find_first_of("({") != std::string::npos;
}

// The genotype that --architecture names; none if it is an architecture file, or no file at all.
absl::StatusOr<std::optional<nas::Genotype>> GenotypeFromFlag() {
  if (FLAGS_architecture.empty()) {
    return absl::InvalidArgumentError(
        "--architecture: a file or a genotype is required, or --network");
  }
  if (NamesGenotype()) {
    return ValueOfFlag("architecture", nas::ResolveGenotype(FLAGS_architecture));
  }
  std::string path = FLAGS_architecture, name;
  if (const size_t colon = path.rfind(':'); !Exists(path) && colon != std::string::npos) {
    name = path.substr(colon + 1);
    path.resize(colon);
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text, ValueOfFlag("architecture", base::ReadFile(path)));
  const bool is_json = absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{");
  if (name.empty() && is_json) return std::nullopt;
  const absl::StatusOr<nas::Genotype> genotype = nas::GenotypeOfModule(text, name);
  if (genotype.ok()) return *genotype;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", genotype.status().message()));
}

// The file that --architecture or --network names, with the bits of flags if they are given.
absl::StatusOr<nas::Architecture> FromFile(const std::string& flag, const std::string& path,
                                           std::optional<int64_t> classes) {
  RETURN_IF_ERROR(
      RefuseFlags(kFlagsOfGenotype, absl::StrCat("--", flag, ", a file that decides it")));
  ASSIGN_OR_RETURN(nas::Architecture architecture, nas::ReadArchitecture(path));
  const bool fixed = !architecture.fixed_network.empty();
  if (fixed != (flag == "network")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", path, ": belongs to --", fixed ? "network" : "architecture"));
  }
  if (classes.has_value() && architecture.network.classes != *classes) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is for ", architecture.network.classes,
                                                   " classes, there are ", *classes));
  }
  if (GivenByUser("quantize_stem")) architecture.network.quantize_stem = FLAGS_quantize_stem;
  if (GivenByUser("abits") || GivenByUser("wbits") || GivenByUser("quantize_stem")) {
    return nas::WithBits(std::move(architecture), {FLAGS_abits, FLAGS_wbits});
  }
  return architecture;
}

absl::StatusOr<nas::Architecture> FromArchitectureFile(std::optional<int64_t> classes) {
  if (!Exists(FLAGS_architecture)) {
    const std::vector<std::string> names = nas::PublishedGenotypeNames();
    const std::string nearest = NearestName(FLAGS_architecture, names);
    return absl::NotFoundError(
        absl::StrCat("--architecture=", FLAGS_architecture,
                     ": no such file, and no published genotype: ", absl::StrJoin(names, ", "),
                     nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
  }
  return FromFile("architecture", FLAGS_architecture, classes);
}

absl::StatusOr<nas::Architecture> FixedNetworkFromFlags(std::optional<int64_t> classes) {
  RETURN_IF_ERROR(RefuseFlags(kFlagsOfCells, "--network"));
  const std::vector<std::string>& names = nas::FixedNetworkNames();
  const std::string flag = absl::StrCat("--network=", FLAGS_network, ": ");
  if (std::find(names.begin(), names.end(), FLAGS_network) == names.end()) {
    if (Exists(FLAGS_network)) return FromFile("network", FLAGS_network, classes);
    const std::string nearest = NearestName(FLAGS_network, names);
    return absl::NotFoundError(
        absl::StrCat(flag, "no such file, and none of ", absl::StrJoin(names, ", "),
                     nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
  }
  if (!classes.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, "is no file, and nothing says how many classes there are"));
  }
  ASSIGN_OR_RETURN(const InputShape input, InputShapeFromFlags());
  nas::Architecture architecture = {
      .network = {.images = input.images, .image_side = input.side, .classes = *classes},
      .fixed_network = FLAGS_network};
  ASSIGN_OR_RETURN(architecture.eight_bit,
                   ValueOfFlag("eight_bit", quant::ParseEightBit(FLAGS_eight_bit)));
  auto with_bits = nas::WithBits(std::move(architecture), {FLAGS_abits, FLAGS_wbits});
  if (with_bits.ok()) return with_bits;
  return absl::InvalidArgumentError(absl::StrCat(flag, with_bits.status().message()));
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
  ASSIGN_OR_RETURN(options.candidates, SearchedBitsFromFlags());
  ASSIGN_OR_RETURN(options.rule, ValueOfFlag("depth_rule", nas::ParseDepthRule(FLAGS_depth_rule)));
  if (FLAGS_default_bits != 0) {
    if (!quant::IsSupportedBits(FLAGS_default_bits)) {
      return absl::InvalidArgumentError(absl::StrCat("--default_bits=", FLAGS_default_bits,
                                                     ": must be 0, ", quant::kSupportedBits));
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

absl::StatusOr<nas::Genotype> GenotypeFromFlags() {
  ASSIGN_OR_RETURN(const std::optional<nas::Genotype> genotype, GenotypeFromFlag());
  if (genotype.has_value()) return *genotype;
  ASSIGN_OR_RETURN(nas::Architecture file, FromArchitectureFile(std::nullopt));
  return std::move(file.genotype);
}

absl::StatusOr<nas::Architecture> ArchitectureFromFlags(std::optional<int64_t> classes) {
  if (!FLAGS_network.empty()) return FixedNetworkFromFlags(classes);
  ASSIGN_OR_RETURN(const std::optional<nas::Genotype> genotype, GenotypeFromFlag());
  if (!genotype.has_value()) return FromArchitectureFile(classes);
  if (!classes.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--architecture=", FLAGS_architecture,
                     ": is no architecture file, and nothing says how many classes there are"));
  }
  ASSIGN_OR_RETURN(const InputShape input, InputShapeFromFlags());
  const nas::NetworkShape shape = {.images = input.images,
                                   .image_side = input.side,
                                   .channels = FLAGS_channels,
                                   .layers = FLAGS_layers,
                                   .classes = *classes,
                                   .auxiliary = FLAGS_auxiliary,
                                   .quantize_stem = FLAGS_quantize_stem};
  ASSIGN_OR_RETURN(nas::Architecture architecture,
                   nas::UniformArchitecture(*genotype, shape,
                                            {.activation = FLAGS_abits, .weight = FLAGS_wbits}));
  ASSIGN_OR_RETURN(architecture.eight_bit,
                   ValueOfFlag("eight_bit", quant::ParseEightBit(FLAGS_eight_bit)));
  if (!FLAGS_gammas.empty()) RETURN_IF_ERROR(AssignSearchedBits(architecture));
  return architecture;
}

}  // namespace tools
