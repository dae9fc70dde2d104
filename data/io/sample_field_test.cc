#include "data/io/sample_field.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<SampleField> kFields = {
    {"json"}, {"boxes", FieldType::kFloat32, {2, 4}}, {"score", FieldType::kFloat64}};

TEST(SampleFieldTest, TypesAndTheirNamesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(FieldType::kFloat64); ++i) {
    const auto type = static_cast<FieldType>(i);
    EXPECT_EQ(*FieldTypeOfName(FieldTypeName(type)), type);
  }
  EXPECT_THAT(std::string(FieldTypeOfName("string").status().message()), HasSubstr("string"));
}

TEST(SampleFieldTest, NumbersSizeIsThatOfAllElements) {
  EXPECT_EQ(*NumbersSize(kFields[0]), 0);
  EXPECT_EQ(*NumbersSize(kFields[1]), 32);
  EXPECT_EQ(*NumbersSize(kFields[2]), 8);
}

TEST(SampleFieldTest, ShapesWithoutElementsAndImmenseOnesAreRefused) {
  EXPECT_FALSE(NumbersSize({"x", FieldType::kInt8, {2, 0}}).ok());
  EXPECT_FALSE(NumbersSize({"x", FieldType::kInt8, {-1}}).ok());
  EXPECT_FALSE(NumbersSize({"x", FieldType::kInt8, {int64_t{1} << 32, int64_t{1} << 32}}).ok());
}

TEST(SampleFieldTest, ChoosesByNameInTheGivenOrder) {
  EXPECT_THAT(*ChooseFields("in", kFields, {.names = {"score", "json"}}), ElementsAre(2, 0));
  EXPECT_THAT(*ChooseFields("in", kFields, {.all = true}), ElementsAre(0, 1, 2));
  EXPECT_THAT(*ChooseFields("in", kFields, {}), ElementsAre());
}

TEST(SampleFieldTest, AChoiceIsAllOrNames) {
  EXPECT_TRUE(ParseFieldChoice("all").all);
  EXPECT_THAT(ParseFieldChoice("json,txt").names, ElementsAre("json", "txt"));
  EXPECT_FALSE(ParseFieldChoice("").any());
}

TEST(SampleFieldTest, NamesWhatIsMissingAndWhatThereIs) {
  EXPECT_EQ(ChooseFields("in", kFields, {.names = {"txt"}}).status().message(),
            "in: samples have no field txt; they have json, boxes (float32 2x4), score (float64)");
  EXPECT_EQ(ChooseFields("in", {}, {.names = {"txt"}}).status().message(),
            "in: samples have no field txt; they have none");
  EXPECT_EQ(ChooseFields("in", kFields, {.names = {"json", "json"}}).status().message(),
            "in: field json is asked for twice");
}

TEST(SampleFieldTest, TooManyFieldsAreRefused) {
  std::vector<SampleField> many;
  for (size_t i = 0; i <= kMaxFields; ++i) many.push_back({absl::StrCat(i)});
  EXPECT_THAT(std::string(ChooseFields("in", many, {.all = true}).status().message()),
              HasSubstr("65 fields, from 0 to 64"));
}

}  // namespace
}  // namespace data
