#include "nas/space/genotype.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nas/space/primitives.h"
#include "nlohmann/json.hpp"

namespace nas {
namespace {

using ::testing::HasSubstr;

constexpr char kText[] =
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=range(2, 3), "
    "reduce=[('none', 0), ('conv_7x1_1x7', 1), ('max_pool_3x3', 2), ('dil_conv_5x5', 0), "
    "('avg_pool_3x3', 3), ('sep_conv_7x7', 3)], reduce_concat=[2, 4])";

std::string Error(const std::string& text) {
  return std::string(ParseGenotype(text).status().message());
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

CellGenotype RandomCell(std::mt19937& random) {
  const auto below = [&random](int64_t n) {
    return std::uniform_int_distribution<int64_t>(0, n - 1)(random);
  };
  CellGenotype cell;
  const int64_t nodes = 1 + below(6);
  for (int64_t edge = 0; edge < 2 * nodes; ++edge) {
    cell.edges.push_back({static_cast<Primitive>(below(10)), below(2 + edge / 2)});
  }
  for (int64_t state = 2; state < 2 + nodes; ++state) {
    if (cell.concat.empty() || below(2) == 0) cell.concat.push_back(state);
  }
  return cell;
}

TEST(GenotypeTest, ParsesWhatEachPartSays) {
  const auto genotype = ParseGenotype(kText);
  ASSERT_TRUE(genotype.ok()) << genotype.status();
  EXPECT_EQ(genotype->normal.edges,
            (std::vector<GenotypeEdge>{{Primitive::kSepConv3x3, 1}, {Primitive::kSkipConnect, 0}}));
  EXPECT_EQ(genotype->normal.concat, (std::vector<int64_t>{2}));
  EXPECT_EQ(genotype->reduce.edges[5], (GenotypeEdge{Primitive::kSepConv7x7, 3}));
  EXPECT_EQ(genotype->reduce.concat, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(GenotypeToText(*genotype), kText);
}

TEST(GenotypeTest, SpellingDoesNotMatter) {
  const auto genotype = ParseGenotype(
      " Genotype ( reduce_concat = [ 2 , ], reduce=((\"none\",0),[ 'none' ,1,],),\n"
      "normal=[('none', 0), ('none', 0)], normal_concat=range(2,3), )\n");
  ASSERT_TRUE(genotype.ok()) << genotype.status();
  EXPECT_EQ(genotype->reduce.edges[1], (GenotypeEdge{Primitive::kNone, 1}));
}

TEST(GenotypeTest, RandomGenotypesRoundTripThroughTextAndJson) {
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    const Genotype genotype = {RandomCell(random), RandomCell(random)};
    ASSERT_TRUE(ValidateGenotype(genotype).ok());
    const auto from_text = ParseGenotype(GenotypeToText(genotype));
    ASSERT_TRUE(from_text.ok()) << from_text.status();
    EXPECT_EQ(*from_text, genotype);
    const auto from_json = ParseGenotype(GenotypeToJson(genotype).dump(1));
    ASSERT_TRUE(from_json.ok()) << from_json.status();
    EXPECT_EQ(*from_json, genotype);
  }
}

TEST(GenotypeTest, SyntaxErrorsNameTheCharacter) {
  EXPECT_EQ(Error(""), "character 1: expected 'Genotype', found the end");
  EXPECT_EQ(Error("Genotype(normal[])"), "character 16: expected '=', found '['");
  EXPECT_EQ(Error("Genotype(normal=x)"),
            "character 17: expected an integer, string, list, tuple or range, found 'x'");
  EXPECT_THAT(Error("Genotype(normal=['none"), HasSubstr("expected a closing quote"));
  EXPECT_THAT(Error(std::string("Genotype(normal=") + std::string(100, '[')),
              HasSubstr("less nesting"));
  EXPECT_THAT(Error("Genotype(normal_concat=range(0, 999999999))"), HasSubstr("shorter range"));
  EXPECT_THAT(Error("Genotype(normal_concat=range(-9999999999999999999, 1))"),
              HasSubstr("expected an integer"));
  EXPECT_EQ(Error("Genotype(normal=1, normal=2)"), "normal: is given twice");
  EXPECT_THAT(Error(std::string(kText) + "x"), HasSubstr("expected the end, found 'x'"));
  EXPECT_THAT(Error("{\"normal\": [}"), HasSubstr("character 13: malformed JSON"));
}

TEST(GenotypeTest, EveryPrefixOfATextIsAnError) {
  const std::string text = kText;
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseGenotype(text.substr(0, size)).ok()) << size;
  }
}

TEST(GenotypeTest, MeaninglessValuesNameTheFieldAndPosition) {
  EXPECT_THAT(Error(Replaced(kText, "sep_conv_3x3", "sep_conv_9x9")),
              HasSubstr("normal[0]: unknown primitive"));
  EXPECT_EQ(Error(Replaced(kText, "('max_pool_3x3', 2)", "('max_pool_3x3', 3)")),
            "reduce[2]: predecessor 3 of node 1; expected 0..2");
  EXPECT_EQ(Error(Replaced(kText, "('max_pool_3x3', 2)", "('max_pool_3x3')")),
            "reduce[2]: expected [\"primitive\", predecessor]");
  EXPECT_THAT(Error(Replaced(kText, ", ('skip_connect', 0)", "")),
              HasSubstr("normal: has 1 operations"));
  EXPECT_EQ(Error(Replaced(kText, "[2, 4]", "[2, 5]")),
            "reduce_concat[1]: is 5; expected distinct nodes of 2..4");
  EXPECT_EQ(Error(Replaced(kText, "[2, 4]", "[2, 2]")),
            "reduce_concat[1]: is 2; expected distinct nodes of 2..4");
  EXPECT_EQ(Error(Replaced(kText, "[2, 4]", "['x']")), "reduce_concat[0]: expected an integer");
  EXPECT_EQ(Error(Replaced(kText, "range(2, 3)", "range(2, 2)")), "normal_concat: is empty");
  EXPECT_EQ(Error(Replaced(kText, "normal_concat=range(2, 3), ", "")),
            "normal_concat: expected an array, but it is missing");
  EXPECT_THAT(Error(Replaced(kText, "reduce_concat", "concat")),
              HasSubstr("concat: unknown field"));
}

}  // namespace
}  // namespace nas
