#include "data/sources/input_listing.h"

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "data/io/sample_field.h"
#include "data/sources/dataset.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = InputFile::Kind;

// Files by path; a label's text stands behind a "=", a folder ends with "/".
absl::StatusOr<InputListing> List(const std::vector<std::string>& names,
                                  const OpenOptions& options = {}) {
  std::vector<InputFile> files;
  std::map<std::string, std::string> labels;
  for (const std::string& name : names) {
    InputFile file;
    file.path = name.substr(0, name.find('='));
    file.id = files.size();
    if (name.back() == '/') file.kind = Kind::kFolder;
    if (name.find('=') != std::string::npos) labels[file.path] = name.substr(name.find('=') + 1);
    files.push_back(file);
  }
  const auto place = [](const InputFile& file) { return absl::StrCat(file.path, "@", file.id); };
  const auto read_label = [&labels](const InputFile& file) -> absl::StatusOr<std::string> {
    return labels[file.path];
  };
  return ListInput("input", files, options, {place, read_label});
}

std::string Error(const std::vector<std::string>& names) {
  return std::string(List(names).status().message());
}

std::vector<int64_t> LabelsOf(const InputListing& listing) {
  std::vector<int64_t> labels;
  for (const ListedImage& image : listing.images) labels.push_back(image.label);
  return labels;
}

TEST(InputListingTest, FoldersAreClassesInTheOrderOfTheirNames) {
  const auto listing = List({"dog/1.jpg", "./cat//x/2.PNG", "cat-x/3.jfif", "cat/4.jpe"});
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(listing->class_names, ElementsAre("cat", "cat-x", "dog"));
  EXPECT_THAT(LabelsOf(*listing), ElementsAre(2, 0, 1, 0));
  EXPECT_TRUE(listing->left_alone.empty());
}

TEST(InputListingTest, AFolderAroundTheClassesIsNone) {
  for (const bool with_folders : {false, true}) {
    std::vector<std::string> names = {"a/b/cat/1.jpg", "a/b/dog/x/2.jpg", "readme.txt"};
    if (with_folders) names.insert(names.begin(), {"./", "a/", "a/b/", "a/b/cat/", "a/b/dog/"});
    const auto listing = List(names);
    ASSERT_TRUE(listing.ok()) << listing.status();
    EXPECT_THAT(listing->class_names, ElementsAre("cat", "dog"));
    EXPECT_THAT(listing->left_alone.Lines(3),
                ElementsAre("left alone: 1 (no image by its name): readme.txt",
                            "left alone: 1 (a folder around the classes): a/b"));
  }
  EXPECT_THAT(List({"a/cat/1.jpg", "a/2.jpg"})->class_names, ElementsAre("a"));
}

// Of each image the fields' files, "-" where it has none.
std::vector<std::string> FieldFiles(const std::vector<std::string>& names,
                                    const FieldChoice& choice = {.all = true}) {
  const auto listing = List(names, {.fields = choice});
  EXPECT_TRUE(listing.ok()) << listing.status();
  std::vector<std::string> rows = {DescribeFields(listing->fields)};
  for (size_t i = 0; i < listing->images.size(); ++i) {
    std::string& row = rows.emplace_back(names[listing->images[i].file]);
    for (size_t f = 0; f < listing->fields.size(); ++f) {
      const int64_t file = listing->field_files[i * listing->fields.size() + f];
      absl::StrAppend(&row, " ", file < 0 ? "-" : names[file]);
    }
  }
  for (const std::string& line : listing->left_alone.Lines(9)) rows.push_back(line);
  return rows;
}

TEST(InputListingTest, FilesBesideAnImageAreItsFields) {
  const std::vector<std::string> names = {"c/1.jpg",      "c/1.json",    "c/1.boxes.npy",
                                          "c/2.jpg",      "c/2.json",    "d/22.05.jpg",
                                          "d/readme.txt", "d/22.06.png", "d/22.06.json"};
  EXPECT_THAT(FieldFiles(names),
              ElementsAre("boxes.npy, json", "c/1.jpg c/1.boxes.npy c/1.json", "c/2.jpg - c/2.json",
                          "d/22.05.jpg - -", "d/22.06.png - d/22.06.json",
                          "left alone: 1 (no image by its name): d/readme.txt"));
  EXPECT_THAT(FieldFiles(names, {.names = {"json"}}),
              ElementsAre("json", "c/1.jpg c/1.json", "c/2.jpg c/2.json", "d/22.05.jpg -",
                          "d/22.06.png d/22.06.json",
                          "left alone: 2 (no image by its name): c/1.boxes.npy, d/readme.txt"));
}

TEST(InputListingTest, AFieldFollowsTheKeyWhereOnlyOneImageHasIt) {
  EXPECT_THAT(FieldFiles({"a/1.full.jpg", "a/1.txt"}), ElementsAre("txt", "a/1.full.jpg a/1.txt"));
  EXPECT_THAT(
      FieldFiles({"a/1.jpg", "a/1.png", "a/1.txt"}),
      ElementsAre("", "a/1.jpg", "a/1.png", "left alone: 1 (no image by its name): a/1.txt"));
}

TEST(InputListingTest, AnImageThatIsNotReadIsAFieldByNameAlone) {
  const std::vector<std::string> names = {"a/1.jpg", "a/1.depth.tiff"};
  EXPECT_THAT(FieldFiles(names, {.names = {"depth.tiff"}}),
              ElementsAre("depth.tiff", "a/1.jpg a/1.depth.tiff"));
  EXPECT_THAT(FieldFiles(names),
              ElementsAre("", "a/1.jpg",
                          "left alone: 1 (an image of a format that is not read): a/1.depth.tiff"));
}

TEST(InputListingTest, FieldsThatContradictOrAreMissingAreNamed) {
  const auto error = [](const std::vector<std::string>& names, const FieldChoice& choice) {
    return std::string(List(names, {.fields = choice}).status().message());
  };
  EXPECT_EQ(error({"a/1.x.jpg", "a/1.x.txt", "a/1.txt"}, {.all = true}),
            "input: two fields txt of a/1.x.jpg@0: a/1.x.txt@1 and a/1.txt@2");
  EXPECT_EQ(error({"a/1.jpg", "a/1.json"}, {.names = {"txt"}}),
            "input: samples have no field txt; they have json");
}

TEST(InputListingTest, LabelsAreClassesByNumber) {
  const auto listing = List({"b/1.jpg", "b/1.cls= 1\n", "2.cls=0", "2.jpg"});
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(listing->class_names, ElementsAre("0", "1"));
  EXPECT_THAT(LabelsOf(*listing), ElementsAre(1, 0));
}

// A key ends at the first dot for WebDataset, but what is told apart is kept apart.
TEST(InputListingTest, DottedNamesHaveTheirOwnLabels) {
  const auto listing = List({"22.05.jpg", "22.05.cls=0", "22.06.jpg", "22.06.cls=1"});
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(LabelsOf(*listing), ElementsAre(0, 1));
  EXPECT_THAT(LabelsOf(*List({"1.color.jpg", "1.cls=0"})), ElementsAre(0));
  EXPECT_THAT(Error({"22.jpg", "22.05.cls=0", "22.06.cls=1"}),
              HasSubstr("two labels of 22.jpg@0: 22.05.cls@1 and 22.06.cls@2"));
}

TEST(InputListingTest, WhatContradictsItselfIsNamedByBothPlaces) {
  EXPECT_THAT(Error({"1.jpg", "1.cls=0", "./1.jpg"}),
              HasSubstr("one name twice: 1.jpg@0 and ./1.jpg@2"));
  EXPECT_THAT(Error({"1.jpg", "1.cls=0", "1.cls=1"}), HasSubstr("1.cls@1 and 1.cls@2"));
  EXPECT_THAT(Error({"1.jpg", "1.mask.png", "1.cls=1"}),
              HasSubstr("two images of the label 1.cls@2: 1.jpg@0 and 1.mask.png@1"));
  EXPECT_THAT(Error({"a/1.jpg", "a/1.cls=0", "b/2.jpg"}),
              HasSubstr("some images have a .cls (a/1.jpg@0), others have none (b/2.jpg@2)"));
  EXPECT_THAT(Error({"train/a/1.jpg", "val/a/1.jpg"}),
              HasSubstr("holds two datasets, train/a/1.jpg@0 and val/a/1.jpg@1"));
  EXPECT_THAT(Error({"x/train/a/1.jpg", "x/test/a/1.jpg"}), HasSubstr("holds two datasets"));
  EXPECT_THAT(Error({"caf\xe9/1.jpg", "caf\\xE9/1.jpg"}),
              HasSubstr("classes 0 and 1 are both called caf\\xE9"));
}

TEST(InputListingTest, AnImageOfNoClassIsNamed) {
  EXPECT_THAT(Error({"a/1.jpg", "2.jpg"}), HasSubstr("2.jpg@1 has no .cls and is in no folder"));
  EXPECT_THAT(Error({"./1.jpg", "./1.json"}), HasSubstr("has no .cls and is in no folder"));
  EXPECT_THAT(Error({"1.jpg", "1.cls=x"}), HasSubstr("1.cls@1 is not a label from 0"));
  EXPECT_THAT(Error({"1.jpg", "1.cls=-1"}), HasSubstr("1.cls@1 is not a label from 0"));
  EXPECT_THAT(Error({"../a/1.jpg"}), HasSubstr("../a/1.jpg@0 leads out of the input"));
  EXPECT_THAT(Error({"a/1.txt"}),
              HasSubstr("no images; left alone: 1 (no image by its name): a/1.txt"));
}

TEST(InputListingTest, AClassWithoutImagesIsAnErrorUnlessAllowed) {
  EXPECT_THAT(Error({"a/1.jpg", "b/", "b/notes.txt"}),
              HasSubstr("class b has no image; empty classes: 1 of 2"));
  EXPECT_THAT(Error({"1.jpg", "1.cls=1", "2.jpg", "2.cls=2"}), HasSubstr("class 0 has no image"));
  const auto listing = List({"a/1.jpg", "b/"}, {.allow_empty_classes = true});
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(listing->class_names, ElementsAre("a", "b"));
}

TEST(InputListingTest, WhatIsNoSampleIsListedWithItsReason) {
  const auto listing =
      List({"a/1.jpg", "a/1.webp", "a/2.BMP", "a/notes.txt", ".git/", ".git/x.jpg",
            "a/.ipynb_checkpoints/1.jpg", "__MACOSX/a/._1.jpg", "a/._1.jpg", "a/3.cls=0"});
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(listing->class_names, ElementsAre("a"));
  EXPECT_THAT(LabelsOf(*listing), ElementsAre(0));
  EXPECT_THAT(
      listing->left_alone.Lines(3),
      ElementsAre("left alone: 4 (hidden, or a system's own): .git, a/.ipynb_checkpoints, "
                  "__MACOSX, \u2026",
                  "left alone: 1 (a label without an image): a/3.cls",
                  "left alone: 2 (an image of a format that is not read): a/1.webp, a/2.BMP",
                  "left alone: 1 (no image by its name): a/notes.txt"));
}

TEST(InputListingTest, WhatCannotBeReadIsAnErrorWhereItIsAnImage) {
  const auto list = [](const std::string& path, Kind kind) {
    std::vector<InputFile> files = {{"a/1.jpg"}, {path, kind}};
    const auto place = [](const InputFile& file) { return file.path; };
    const auto read = [](const InputFile&) -> absl::StatusOr<std::string> { return ""; };
    return ListInput("input", files, {}, {place, read});
  };
  EXPECT_TRUE(absl::IsNotFound(list("a/2.jpg", Kind::kDanglingLink).status()));
  EXPECT_THAT(std::string(list("a/2.jpg", Kind::kSparse).status().message()),
              HasSubstr("a/2.jpg is a sparse member"));
  EXPECT_THAT(std::string(list("b", Kind::kFolderLink).status().message()),
              HasSubstr("b is a link to a folder"));
  EXPECT_THAT(list("a/2", Kind::kDanglingLink)->left_alone.Lines(1),
              ElementsAre("left alone: 1 (a link that leads nowhere): a/2"));
  EXPECT_THAT(list("a/2.jpg", Kind::kOther)->left_alone.Lines(1),
              ElementsAre("left alone: 1 (neither a file nor a folder): a/2.jpg"));
}

TEST(InputListingTest, ArchivesMayUseTheSameNames) {
  std::vector<InputFile> files = {
      {"1.jpg"}, {"1.cls"}, {"1.jpg", Kind::kFile, 1}, {"1.cls", Kind::kFile, 1}};
  const auto place = [](const InputFile& file) { return file.path; };
  const auto read = [](const InputFile& file) -> absl::StatusOr<std::string> {
    return absl::StrCat(file.archive);
  };
  const auto listing = ListInput("input", files, {}, {place, read});
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_THAT(LabelsOf(*listing), ElementsAre(0, 1));
}

TEST(SplitOfNameTest, LooksForAWord) {
  EXPECT_EQ(SplitOfName("imagenet-train-0001.tar"), "train");
  EXPECT_EQ(SplitOfName("VALIDATION.tar"), "val");
  EXPECT_EQ(SplitOfName("test"), "test");
  for (const char* name : {"", "trainer", "n01440764.tar", "contest", "0123"}) {
    EXPECT_EQ(SplitOfName(name), "") << name;
  }
}

}  // namespace
}  // namespace data
