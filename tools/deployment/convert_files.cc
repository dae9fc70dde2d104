#include "tools/deployment/convert_files.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/module_state.h"
#include "base/status_macros.h"
#include "base/tensor_file.h"
#include "distributed/training/checkpoint.h"
#include "gflags/gflags.h"
#include "nas/derived/architecture.h"
#include "nas/derived/derived_network.h"
#include "nas/learning/optimizer.h"
#include "nas/space/genotype.h"
#include "nas/space/genotype_module.h"
#include "nas/weights/published_names.h"
#include "nas/weights/weight_file.h"
#include "tools/flags/architecture_flags.h"
#include "tools/flags/flag_choices.h"
#include "tools/flags/flag_ranges.h"
#include "tools/flags/output_paths.h"
#include "tools/flags/tool.h"
#include "tools/program/trained_weights.h"

DECLARE_string(weights);
DEFINE_string(
    format, "",
    "What to write. Ours: architecture, a file of ours; weights, of a derived network. "
    "The published code's: genotype, its text; genotypes_py, a module; qdarts, pcdarts or "
    "fbqat, weights of a derived network by the names that this code gives them; "
    "supernet, weights of a search, and gammas, its gamma_checkpoint.t7, both of a run "
    "folder or checkpoint as --weights.");
FLAG_CHOICES(format, {"architecture", "weights", "genotype", "genotypes_py", "qdarts", "pcdarts",
                      "fbqat", "supernet", "gammas"});
DEFINE_string(output, "", "The file to write.");
DEFINE_string(name, "SEARCHED", "--format=genotypes_py: what the genotype is called.");
DEFINE_bool(module, false,
            "For the published code: names of weights begin with module., as of a network that "
            "DataParallel holds.");
DEFINE_int64(classes, 0,
             "Of a genotype, for --format=architecture: how many classes there are; 0: as many as "
             "--weights are of.");
FLAG_RANGE(classes, tools::FromTo(0, 1e6));

namespace tools {
namespace {

namespace fs = std::filesystem;

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Whether there is something to write; says what a dry run would.
bool Writes() {
  if (!IsDryRun()) return true;
  absl::PrintF("would write %s as %s\n", FLAGS_output, FLAGS_format);
  return false;
}

absl::Status WriteText(const std::string& text) {
  return Writes() ? base::WriteFileAtomically(FLAGS_output, text) : absl::OkStatus();
}

absl::Status WriteTensors(const base::TensorMap& tensors) {
  return Writes() ? base::WriteTensorFile(FLAGS_output, tensors) : absl::OkStatus();
}

// For the published code, which may hold its network in DataParallel.
absl::Status WritePublished(const base::TensorMap& state, nas::PublishedStyle style) {
  base::TensorMap tensors;
  for (auto& [name, tensor] : nas::PublishedState(state, style)) {
    tensors.emplace(absl::StrCat(FLAGS_module ? "module." : "", name), tensor);
  }
  return WriteTensors(tensors);
}

bool IsPythonName(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

absl::Status ConvertGenotype() {
  ASSIGN_OR_RETURN(const nas::Genotype genotype, GenotypeFromFlags());
  if (FLAGS_format == "genotype") return WriteText(nas::GenotypeToText(genotype) + "\n");
  if (!IsPythonName(FLAGS_name)) {
    return absl::InvalidArgumentError(absl::StrCat("--name=", FLAGS_name, ": is no Python name"));
  }
  return WriteText(nas::GenotypeModule(FLAGS_name, genotype));
}

// What the classifier of --weights tells apart; none if it has none under a known name.
absl::StatusOr<std::optional<int64_t>> ClassesOfWeights() {
  base::TensorMap tensors;
  if (IsFolder(FLAGS_weights)) {
    ASSIGN_OR_RETURN(distributed::Checkpoint checkpoint,
                     distributed::ReadCheckpoint(FLAGS_weights));
    tensors = nas::WithoutOptimizers(checkpoint.state);
  } else {
    ASSIGN_OR_RETURN(tensors, base::ReadTensorFile(FLAGS_weights));
  }
  for (const auto& [name, tensor] : tensors) {
    const bool auxiliary =
        absl::StrContains(name, "auxiliary") || absl::StrContains(name, "AuxLogits");
    if ((absl::EndsWith(name, "classifier.bias") || absl::EndsWith(name, "fc.bias")) &&
        !auxiliary && tensor.dim() == 1) {
      return tensor.size(0);
    }
  }
  return std::nullopt;
}

absl::StatusOr<nas::Architecture> ArchitectureOfInput() {
  std::optional<int64_t> classes;
  if (FLAGS_classes > 0) classes = FLAGS_classes;
  if (!classes.has_value() && !FLAGS_weights.empty()) {
    ASSIGN_OR_RETURN(classes, ClassesOfWeights());
  }
  return ArchitectureFromFlags(classes);
}

absl::Status ConvertArchitecture() {
  ASSIGN_OR_RETURN(const nas::Architecture architecture, ArchitectureOfInput());
  return Writes() ? nas::WriteArchitecture(FLAGS_output, architecture) : absl::OkStatus();
}

absl::Status ConvertWeights() {
  ASSIGN_OR_RETURN(const nas::Architecture architecture, ArchitectureOfInput());
  ASSIGN_OR_RETURN(const auto network, nas::DerivedNetwork::Create(architecture));
  ASSIGN_OR_RETURN(const nas::WeightCompanions kept, TrainedWeightsFromFlag(*network));
  const base::TensorMap state = base::ModuleState(*network);
  if (!architecture.fixed_network.empty() && FLAGS_format != "weights") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--format=", FLAGS_format, ": is for networks of cells; --network has weights"));
  }
  if (FLAGS_format == "pcdarts") return WritePublished(state, nas::PublishedStyle::kPcDarts);
  if (FLAGS_format == "fbqat") return WritePublished(state, nas::PublishedStyle::kFbqat);
  if (FLAGS_format == "qdarts") return WritePublished(state, nas::PublishedStyle::kQdartsDerived);
  return Writes() ? nas::WriteWeights(FLAGS_output, state, nas::StyleOf(architecture), kept)
                  : absl::OkStatus();
}

// Of a search: the newest checkpoint of a run folder, or the one named.
absl::StatusOr<base::TensorMap> SearchedState() {
  const std::string store = absl::StrCat(FLAGS_weights, "/checkpoints");
  std::optional<distributed::Checkpoint> checkpoint;
  if (IsFolder(store)) {
    ASSIGN_OR_RETURN(checkpoint, distributed::CheckpointStore(store, /*keep=*/1).ReadNewest());
    if (!checkpoint.has_value()) return absl::NotFoundError(store + ": holds no whole checkpoint");
  } else {
    ASSIGN_OR_RETURN(checkpoint, distributed::ReadCheckpoint(FLAGS_weights));
  }
  base::TensorMap state = nas::WithoutOptimizers(checkpoint->state);
  if (!state.contains("alphas_normal")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--weights=", FLAGS_weights, ": is no search's: its checkpoint has no alphas_normal"));
  }
  return state;
}

absl::Status ConvertSearch() {
  ASSIGN_OR_RETURN(base::TensorMap state, SearchedState());
  base::TensorMap gammas;
  for (const auto& [name, tensor] : state) {
    if (absl::StartsWith(name, "gamma_")) gammas.emplace(name, tensor);
  }
  if (FLAGS_format == "gammas") {
    if (!gammas.empty()) return WriteTensors(gammas);
    return absl::InvalidArgumentError(
        absl::StrCat("--weights=", FLAGS_weights, ": has no gammas: it searched no bits"));
  }
  std::erase_if(state, [&gammas](const auto& entry) {
    return gammas.contains(entry.first) || absl::StartsWith(entry.first, "alphas_") ||
           absl::StartsWith(entry.first, "betas_");
  });
  return WritePublished(
      state, gammas.empty() ? nas::PublishedStyle::kPcDarts : nas::PublishedStyle::kQdartsSupernet);
}

}  // namespace

absl::Status ConvertFiles() {
  const bool of_search = FLAGS_format == "supernet" || FLAGS_format == "gammas";
  const bool of_genotype = FLAGS_format == "genotype" || FLAGS_format == "genotypes_py";
  const bool of_architecture = FLAGS_format == "architecture";
  for (const auto& [flag, value, wanted] :
       {std::tuple("format", FLAGS_format, true), std::tuple("output", FLAGS_output, true),
        std::tuple("weights", FLAGS_weights, !of_genotype && !of_architecture)}) {
    if (wanted && value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag, ": is required"));
    }
  }
  RETURN_IF_ERROR(RequireWritableFile("output", FLAGS_output));
  if (of_search) return ConvertSearch();
  if (of_genotype) return ConvertGenotype();
  return of_architecture ? ConvertArchitecture() : ConvertWeights();
}

}  // namespace tools
