#include "nas/derived/architecture.h"

#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/derived/derived_layout.h"
#include "nas/space/genotype.h"
#include "nas/space/image_kind.h"
#include "nas/space/published_genotypes.h"
#include "nlohmann/json.hpp"
#include "quant/lattice.h"

namespace nas {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

Architecture Example() {
  Architecture architecture =
      UniformArchitecture(*PublishedGenotype("PC_DARTS_cifar"),
                          {.channels = 8, .layers = 3, .auxiliary = true}, {2, 4})
          .value();
  architecture.search = {{"seed", 2}, {"bits", {2, 4}}};
  return architecture;
}

// The error for the example's file after `change`.
template <typename Change>
std::string Error(Change change) {
  Json json = Json::parse(ArchitectureToText(Example()));
  change(json);
  return std::string(ParseArchitecture(json.dump()).status().message());
}

TEST(ArchitectureTest, FilesRoundTrip) {
  std::mt19937 random(3);
  const int64_t widths[] = {1, 2, 3, 4, 5, 6, 7, 8, 32};
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/architecture.json");
  for (const std::string& name : PublishedGenotypeNames()) {
    Architecture written = UniformArchitecture(*PublishedGenotype(name),
                                               {.images = ImageKind::kImageNet,
                                                .image_side = 224,
                                                .channels = 16,
                                                .layers = 5,
                                                .classes = 7},
                                               {})
                               .value();
    for (ConvBits& bits : written.bits) bits = {widths[random() % 6], widths[random() % 6]};
    written.eight_bit = quant::EightBit::kSymmetric;
    ASSERT_TRUE(WriteArchitecture(path, written).ok());
    const auto read = ReadArchitecture(path);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->network, written.network);
    EXPECT_EQ(read->genotype, written.genotype);
    EXPECT_EQ(read->bits, written.bits);
    EXPECT_EQ(read->eight_bit, written.eight_bit);
  }
  ASSERT_TRUE(WriteArchitecture(path, Example()).ok());
  EXPECT_EQ(ReadArchitecture(path)->search, Example().search);
}

TEST(ArchitectureTest, OneChangeIsOneChangedLine) {
  Architecture changed = Example();
  changed.bits[5].activation = 4;
  const std::vector<std::string> before = absl::StrSplit(ArchitectureToText(Example()), '\n');
  const std::vector<std::string> after = absl::StrSplit(ArchitectureToText(changed), '\n');
  ASSERT_EQ(before.size(), after.size());
  int differences = 0;
  for (size_t i = 0; i < before.size() && before[i].find("\"cost\"") == std::string::npos; ++i) {
    if (before[i] == after[i]) continue;
    ++differences;
    EXPECT_EQ(after[i], "    \"cells.0._ops.0.conv4\": [4, 4],");
  }
  EXPECT_EQ(differences, 1);
}

TEST(ArchitectureTest, CostIsThatOfTheBits) {
  const Json json = Json::parse(ArchitectureToText(Example()));
  EXPECT_DOUBLE_EQ(json["cost"]["exact_cells"]["compression"]["bit_ops"].get<double>(),
                   32 * 32 / 8.0);
  EXPECT_DOUBLE_EQ(json["cost"]["exact_cells"]["compression"]["activation_memory"].get<double>(),
                   16);
  EXPECT_DOUBLE_EQ(json["cost"]["exact_cells"]["compression"]["weight_memory"].get<double>(), 8);
  EXPECT_LT(json["cost"]["exact_network"]["compression"]["bit_ops"].get<double>(), 128);
}

TEST(ArchitectureTest, BadFilesNameTheFieldAndWhatWasExpected) {
  EXPECT_EQ(ParseArchitecture("{").status().message(), "malformed JSON at byte 2");
  EXPECT_EQ(ParseArchitecture("[]").status().message(), "expected a JSON object");
  EXPECT_THAT(Error([](Json& json) { json["format"] = "x"; }), HasSubstr("format: expected"));
  EXPECT_EQ(Error([](Json& json) {
              json["version"] = 2;
              json["new_field"] = 1;
            }),
            "version: is 2; this build reads version 1");
  EXPECT_THAT(Error([](Json& json) { json.erase("version"); }), HasSubstr("version: is missing"));
  EXPECT_THAT(Error([](Json& json) { json["bitz"] = 1; }), HasSubstr("bitz: unknown field"));
  EXPECT_EQ(Error([](Json& json) { json.erase("bits"); }), "bits: is missing; expected an object");
  EXPECT_EQ(Error([](Json& json) { json["network"]["layers"] = "3"; }),
            "network.layers: is \"3\"; expected an integer");
  EXPECT_EQ(Error([](Json& json) { json["network"].erase("layers"); }),
            "network.layers: is missing; expected an integer");
  EXPECT_EQ(Error([](Json& json) { json["network"]["layers"] = 0; }),
            "network.layers: is 0; expected 1..1000");
  EXPECT_EQ(Error([](Json& json) { json["network"]["auxiliary"] = nullptr; }),
            "network.auxiliary: is null; expected true or false");
  EXPECT_THAT(Error([](Json& json) { json["network"]["images"] = "mnist"; }),
              HasSubstr("network.images: unknown images 'mnist'"));
  EXPECT_THAT(Error([](Json& json) { json["network"]["eight_bit"] = "odd"; }),
              HasSubstr("network.eight_bit: unknown 8-bit quantizer \"odd\""));
  EXPECT_THAT(Error([](Json& json) { json["network"]["depth"] = 3; }),
              HasSubstr("network.depth: unknown field"));
  EXPECT_EQ(Error([](Json& json) { json["genotype"]["reduce"][2][1] = 3; }),
            "genotype.reduce[2]: predecessor 3 of node 1; expected 0..2");
  EXPECT_EQ(Error([](Json& json) { json["bits"].erase("cells.1.preprocess1.conv"); }),
            "bits.cells.1.preprocess1.conv: is missing; the network has this convolution");
  EXPECT_EQ(Error([](Json& json) {
              json["bits"]["cells.3.preprocess1.conv"] = {2, 2};
            }),
            "bits.cells.3.preprocess1.conv: is unknown; the network has no such convolution");
  EXPECT_EQ(Error([](Json& json) {
              json["bits"]["cells.1.preprocess1.conv"] = {2, 9};
            }),
            "bits.cells.1.preprocess1.conv: has 9 bits; expected 1 to 8 or 32");
  EXPECT_EQ(Error([](Json& json) {
              json["bits"]["cells.1.preprocess1.conv"] = {2, nullptr};
            }),
            "bits.cells.1.preprocess1.conv: is [2,null]; expected [activation bits, weight bits]");
}

TEST(ArchitectureTest, EveryTruncationOfAFileIsAnError) {
  const std::string text = ArchitectureToText(Example());
  for (size_t size = 0; size + 2 < text.size(); size += 7) {
    EXPECT_FALSE(ParseArchitecture(text.substr(0, size)).ok()) << size;
  }
}

TEST(ArchitectureTest, InvalidArchitecturesAreNotWritten) {
  Architecture architecture = Example();
  architecture.bits[0].weight = 9;
  EXPECT_THAT(std::string(WriteArchitecture("unused.json", architecture).message()),
              HasSubstr("unused.json: bits.cells.0.preprocess0.conv: has 9 bits"));
  architecture.bits.pop_back();
  EXPECT_THAT(std::string(ValidateArchitecture(architecture).message()), HasSubstr("bits: are of"));
}

TEST(ArchitectureTest, FixedNetworksHaveFilesOfTheirOwn) {
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/network.json");
  Architecture written = FixedArchitecture("edmips_googlenet", 64, 7, {2, 4}).value();
  written.bits[3] = {3, 1};
  written.search = {{"seed", 2}};
  ASSERT_TRUE(WriteArchitecture(path, written).ok());
  const auto read = ReadArchitecture(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->fixed_network, "edmips_googlenet");
  EXPECT_EQ(read->network.image_side, 64);
  EXPECT_EQ(read->network.classes, 7);
  EXPECT_EQ(read->bits, written.bits);
  EXPECT_EQ(ArchitectureToText(*read), ArchitectureToText(written));
  EXPECT_EQ(ArchitectureFileName(*read), "network.json");

  const auto error = [&written](const auto& change) {
    Json json = Json::parse(ArchitectureToText(written));
    change(json);
    return std::string(ParseArchitecture(json.dump()).status().message());
  };
  EXPECT_EQ(error([](Json& json) { json["network"]["image_side"] = 8; }),
            "network.image_side: is 8; this network takes images of 31 pixels a side or more");
  EXPECT_THAT(error([](Json& json) { json["network"]["name"] = "lenet"; }),
              HasSubstr("'lenet' is none of edmips_resnet18"));
  EXPECT_THAT(error([](Json& json) { json["network"]["layers"] = 8; }),
              HasSubstr("network.layers: unknown field"));
  EXPECT_THAT(error([](Json& json) { json["genotype"] = Json::object(); }),
              HasSubstr("genotype: unknown field"));
  EXPECT_THAT(error([](Json& json) { json["bits"].erase("conv3.conv"); }),
              HasSubstr("bits.conv3.conv: is missing"));
  EXPECT_THAT(error([](Json& json) { json["network"]["classes"] = 0; }),
              HasSubstr("classes: is 0"));
}

}  // namespace
}  // namespace nas
