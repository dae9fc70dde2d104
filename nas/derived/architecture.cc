#include "nas/derived/architecture.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/build_id.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "nas/derived/conv_costs.h"
#include "nas/derived/cost_report.h"
#include "nas/networks/fixed_networks.h"
#include "nas/networks/network_graph.h"
#include "nas/networks/network_layout.h"
#include "nas/space/image_kind.h"
#include "quant/lattice.h"
#include "quant/names.h"

namespace nas {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "nqdarts architecture";
constexpr char kFixedFormat[] = "nqdarts fixed network";
constexpr int64_t kVersion = 1;

absl::Status Invalid(absl::string_view field, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", problem));
}

// `status` of what is inside `field`.
absl::Status Inside(absl::string_view field, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(field, ".", status.message()));
}

// Objects whose fields are looked up, and named in errors, by their path.
class Fields {
 public:
  // `json` is an object with no other fields than `known`.
  static absl::StatusOr<Fields> Of(const Json& json, std::string prefix,
                                   std::initializer_list<const char*> known) {
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        return Invalid(prefix + key,
                       absl::StrCat("unknown field; expected one of ", absl::StrJoin(known, ", ")));
      }
    }
    return Fields(json, std::move(prefix));
  }

  absl::StatusOr<std::string> String(const char* key) const {
    ASSIGN_OR_RETURN(const Json* field, Find(key, &Json::is_string, "a string"));
    return field->get<std::string>();
  }

  absl::StatusOr<int64_t> Integer(const char* key) const {
    ASSIGN_OR_RETURN(const Json* field, Find(key, &Json::is_number_integer, "an integer"));
    return field->get<int64_t>();
  }

  absl::StatusOr<bool> Bool(const char* key) const {
    ASSIGN_OR_RETURN(const Json* field, Find(key, &Json::is_boolean, "true or false"));
    return field->get<bool>();
  }

  absl::StatusOr<const Json*> Object(const char* key) const {
    return Find(key, &Json::is_object, "an object");
  }

 private:
  Fields(const Json& json, std::string prefix) : json_(&json), prefix_(std::move(prefix)) {}

  absl::StatusOr<const Json*> Find(const char* key, bool (Json::*is_expected)() const noexcept,
                                   const char* expected) const {
    const auto found = json_->find(key);
    if (found == json_->end()) {
      return Invalid(prefix_ + key, absl::StrCat("is missing; expected ", expected));
    }
    if (!((*found).*is_expected)()) {
      return Invalid(prefix_ + key, absl::StrCat("is ", found->dump(), "; expected ", expected));
    }
    return &*found;
  }

  const Json* json_;
  std::string prefix_;
};

absl::Status CheckBits(absl::string_view conv, const ConvBits& bits) {
  for (const int64_t width : {bits.activation, bits.weight}) {
    if (!quant::IsSupportedBits(width)) {
      return Invalid(conv, absl::StrCat("has ", width, " bits; expected ", quant::kSupportedBits));
    }
  }
  return absl::OkStatus();
}

// Network and eight_bit; of a fixed network its name, too.
absl::Status ReadNetwork(const Json& json, bool fixed, Architecture* architecture) {
  ASSIGN_OR_RETURN(
      const Fields fields,
      fixed ? Fields::Of(json, "network.", {"name", "images", "image_side", "classes", "eight_bit"})
            : Fields::Of(json, "network.",
                         {"images", "image_side", "channels", "layers", "classes", "auxiliary",
                          "quantize_stem", "eight_bit"}));
  NetworkShape& network = architecture->network;
  ASSIGN_OR_RETURN(const std::string images, fields.String("images"));
  const auto kind = ParseImageKind(images);
  if (!kind.ok()) return Invalid("network.images", kind.status().message());
  network.images = *kind;
  ASSIGN_OR_RETURN(network.image_side, fields.Integer("image_side"));
  ASSIGN_OR_RETURN(network.classes, fields.Integer("classes"));
  ASSIGN_OR_RETURN(const std::string flavour, fields.String("eight_bit"));
  const auto parsed = quant::ParseEightBit(flavour);
  if (!parsed.ok()) return Invalid("network.eight_bit", parsed.status().message());
  architecture->eight_bit = *parsed;
  if (fixed) {
    ASSIGN_OR_RETURN(architecture->fixed_network, fields.String("name"));
    return Inside("network", LayoutOf(*architecture).status());
  }
  ASSIGN_OR_RETURN(network.channels, fields.Integer("channels"));
  ASSIGN_OR_RETURN(network.layers, fields.Integer("layers"));
  ASSIGN_OR_RETURN(network.auxiliary, fields.Bool("auxiliary"));
  ASSIGN_OR_RETURN(network.quantize_stem, fields.Bool("quantize_stem"));
  return Inside("network", network.Check());
}

Json NetworkToJson(const Architecture& architecture) {
  const NetworkShape& network = architecture.network;
  if (!architecture.fixed_network.empty()) {
    return {{"name", architecture.fixed_network},
            {"images", std::string(ImageKindName(network.images))},
            {"image_side", network.image_side},
            {"classes", network.classes},
            {"eight_bit", std::string(quant::EightBitName(architecture.eight_bit))}};
  }
  return {{"images", std::string(ImageKindName(network.images))},
          {"image_side", network.image_side},
          {"channels", network.channels},
          {"layers", network.layers},
          {"classes", network.classes},
          {"auxiliary", network.auxiliary},
          {"quantize_stem", network.quantize_stem},
          {"eight_bit", std::string(quant::EightBitName(architecture.eight_bit))}};
}

absl::StatusOr<std::vector<ConvBits>> BitsFromJson(const Json& json, const DerivedLayout& layout) {
  std::vector<ConvBits> bits;
  std::map<std::string, const Json*> unclaimed;
  for (const auto& [name, value] : json.items()) unclaimed.emplace(name, &value);
  for (const ConvSite& conv : layout.convs) {
    const std::string field = absl::StrCat("bits.", conv.name);
    const auto found = unclaimed.find(conv.name);
    if (found == unclaimed.end()) {
      return Invalid(field, "is missing; the network has this convolution");
    }
    const Json& pair = *found->second;
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_integer() ||
        !pair[1].is_number_integer()) {
      return Invalid(field,
                     absl::StrCat("is ", pair.dump(), "; expected [activation bits, weight bits]"));
    }
    bits.push_back({pair[0].get<int64_t>(), pair[1].get<int64_t>()});
    RETURN_IF_ERROR(CheckBits(field, bits.back()));
    unclaimed.erase(found);
  }
  if (!unclaimed.empty()) {
    return Invalid(absl::StrCat("bits.", unclaimed.begin()->first),
                   "is unknown; the network has no such convolution");
  }
  return bits;
}

// Containers spread over lines, except for lists of plain values.
void Print(const Json& json, int indent, std::string* text) {
  const auto is_container = [](const Json& item) { return item.is_structured(); };
  const bool inline_list = json.is_array() && std::none_of(json.begin(), json.end(), is_container);
  if (!json.is_structured() || json.empty()) {
    absl::StrAppend(text, json.dump());
    return;
  }
  absl::StrAppend(text, json.is_object() ? "{" : "[");
  const std::string line = inline_list ? "" : absl::StrCat("\n", std::string(indent + 2, ' '));
  const char* separator = "";
  for (const auto& [key, value] : json.items()) {
    absl::StrAppend(text, separator, line);
    if (json.is_object()) absl::StrAppend(text, Json(key).dump(), ": ");
    Print(value, indent + 2, text);
    separator = inline_list ? ", " : ",";
  }
  if (!inline_list) absl::StrAppend(text, "\n", std::string(indent, ' '));
  absl::StrAppend(text, json.is_object() ? "}" : "]");
}

absl::StatusOr<Architecture> FromJson(const Json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("expected a JSON object");
  const auto format = json.find("format");
  const bool fixed = format != json.end() && *format == kFixedFormat;
  if (!fixed && (format == json.end() || *format != kFormat)) {
    return Invalid("format", absl::StrCat("expected \"", kFormat, "\" or \"", kFixedFormat, "\""));
  }
  // A newer version may have other fields: it comes before they are looked at.
  const auto version = json.find("version");
  if (version == json.end() || !version->is_number_integer() || *version < 1 ||
      *version > kVersion) {
    return Invalid("version",
                   absl::StrCat("is ", version == json.end() ? "missing" : version->dump(),
                                "; this build reads version ", kVersion));
  }
  ASSIGN_OR_RETURN(
      const Fields fields,
      fixed ? Fields::Of(json, "",
                         {"format", "version", "build_id", "network", "bits", "search", "cost"})
            : Fields::Of(json, "",
                         {"format", "version", "build_id", "network", "genotype", "bits", "search",
                          "cost"}));
  Architecture architecture;
  RETURN_IF_ERROR(fields.String("build_id").status());
  RETURN_IF_ERROR(fields.Object("cost").status());
  ASSIGN_OR_RETURN(const Json* network, fields.Object("network"));
  RETURN_IF_ERROR(ReadNetwork(*network, fixed, &architecture));
  if (!fixed) {
    ASSIGN_OR_RETURN(const Json* genotype, fields.Object("genotype"));
    absl::StatusOr<Genotype> parsed = GenotypeFromJson(*genotype);
    RETURN_IF_ERROR(Inside("genotype", parsed.status()));
    architecture.genotype = *std::move(parsed);
  }
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(architecture));
  ASSIGN_OR_RETURN(const Json* bits, fields.Object("bits"));
  ASSIGN_OR_RETURN(architecture.bits, BitsFromJson(*bits, layout));
  ASSIGN_OR_RETURN(const Json* search, fields.Object("search"));
  architecture.search = *search;
  return architecture;
}

}  // namespace

absl::StatusOr<DerivedLayout> LayoutOf(const Architecture& architecture) {
  const NetworkShape& network = architecture.network;
  if (architecture.fixed_network.empty()) {
    return MakeDerivedLayout(architecture.genotype, network);
  }
  RETURN_IF_ERROR(network.CheckImagesAndClasses());
  ASSIGN_OR_RETURN(const NetworkGraph graph,
                   FixedNetworkGraph(architecture.fixed_network, network.classes));
  ASSIGN_OR_RETURN(NetworkLayout layout, LayoutOfGraph(graph, network.image_side));
  return DerivedLayout{std::move(layout)};
}

absl::StatusOr<Architecture> WithBits(Architecture architecture, ConvBits bits) {
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(architecture));
  architecture.bits.assign(layout.convs.size(), bits);
  RETURN_IF_ERROR(ValidateArchitecture(architecture));
  return architecture;
}

std::string ArchitectureFileName(const Architecture& architecture) {
  return architecture.fixed_network.empty() ? "architecture.json" : "network.json";
}

absl::StatusOr<Architecture> UniformArchitecture(const Genotype& genotype,
                                                 const NetworkShape& network, ConvBits bits) {
  return WithBits({.network = network, .genotype = genotype}, bits);
}

absl::StatusOr<Architecture> FixedArchitecture(const std::string& fixed_network, int64_t image_side,
                                               int64_t classes, ConvBits bits) {
  return WithBits(
      {.network = {.images = ImageKind::kImageNet, .image_side = image_side, .classes = classes},
       .fixed_network = fixed_network},
      bits);
}

absl::Status ValidateArchitecture(const Architecture& architecture) {
  ASSIGN_OR_RETURN(const DerivedLayout layout, LayoutOf(architecture));
  if (architecture.bits.size() != layout.convs.size()) {
    return Invalid("bits", absl::StrCat("are of ", architecture.bits.size(),
                                        " convolutions; the network has ", layout.convs.size()));
  }
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    RETURN_IF_ERROR(CheckBits(absl::StrCat("bits.", layout.convs[i].name), architecture.bits[i]));
  }
  return absl::OkStatus();
}

std::string ArchitectureToText(const Architecture& architecture) {
  const DerivedLayout layout = LayoutOf(architecture).value();
  const bool fixed = !architecture.fixed_network.empty();
  Json bits = Json::object();
  for (size_t i = 0; i < layout.convs.size(); ++i) {
    bits[layout.convs[i].name] = {architecture.bits[i].activation, architecture.bits[i].weight};
  }
  Json cost = CostReportToJson(MakeCostReport(layout, architecture.bits));
  cost["convolutions"] = ConvCostsToJson(layout, architecture.bits);
  Json json = {{"format", fixed ? kFixedFormat : kFormat},
               {"version", kVersion},
               {"build_id", base::BuildId()},
               {"network", NetworkToJson(architecture)}};
  if (!fixed) json["genotype"] = GenotypeToJson(architecture.genotype);
  json["bits"] = std::move(bits);
  json["search"] = architecture.search;
  json["cost"] = std::move(cost);
  std::string text;
  Print(json, 0, &text);
  return text + "\n";
}

absl::StatusOr<Architecture> ParseArchitecture(absl::string_view text) {
  try {
    return FromJson(Json::parse(text.begin(), text.end()));
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("malformed JSON at byte ", error.byte));
  }
}

absl::Status WriteArchitecture(const std::string& path, const Architecture& architecture) {
  if (absl::Status status = ValidateArchitecture(architecture); !status.ok()) {
    return Invalid(path, status.message());
  }
  return base::WriteFileAtomically(path, ArchitectureToText(architecture));
}

absl::StatusOr<Architecture> ReadArchitecture(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  absl::StatusOr<Architecture> architecture = ParseArchitecture(text);
  if (!architecture.ok()) return Invalid(path, architecture.status().message());
  return architecture;
}

}  // namespace nas
