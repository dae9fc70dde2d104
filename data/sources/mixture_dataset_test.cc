#include "data/sources/mixture_dataset.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::ElementsAre;

// Of `size` samples, whose bytes are `letter`; classes come up in turn.
class Letters : public Dataset {
 public:
  Letters(char letter, int64_t size, std::vector<std::string> classes)
      : letter_(letter), size_(size), classes_(std::move(classes)) {}

  int64_t size() const override { return size_; }
  const std::vector<std::string>& class_names() const override { return classes_; }
  int64_t label(int64_t index) const override { return index % std::ssize(classes_); }
  std::string name(int64_t index) const override { return letter_ + std::to_string(index); }
  absl::StatusOr<EncodedSample> Read(int64_t index, ScratchBuffer& buffer) const override {
    *buffer.Reserve(1) = letter_;
    EncodedSample sample;
    sample.bytes = {buffer.Reserve(1), 1};
    return sample;
  }
  void WillRead(int64_t first, int64_t last) const override { announced.emplace_back(first, last); }

  mutable std::vector<std::pair<int64_t, int64_t>> announced;

 private:
  const char letter_;
  const int64_t size_;
  const std::vector<std::string> classes_;
};

absl::StatusOr<std::unique_ptr<MixtureDataset>> Mixture(
    std::vector<std::pair<int64_t, std::vector<std::string>>> sizes_and_classes) {
  std::vector<MixtureDataset::Part> parts;
  char letter = 'a';
  for (auto& [size, classes] : sizes_and_classes) {
    parts.push_back({std::string("/") + letter, std::make_unique<Letters>(letter, size, classes)});
    ++letter;
  }
  return MixtureDataset::Create(std::move(parts));
}

TEST(MixtureDatasetTest, SamplesFollowEachOtherAndClassesAreFoundByName) {
  const auto mixture = Mixture({{3, {"cat", "dog", "owl"}}, {4, {"owl", "cat"}}, {1, {"dog"}}});
  ASSERT_TRUE(mixture.ok()) << mixture.status();
  ASSERT_EQ((*mixture)->size(), 8);
  EXPECT_THAT((*mixture)->class_names(), ElementsAre("cat", "dog", "owl"));
  EXPECT_THAT(Labels(**mixture), ElementsAre(0, 1, 2, 2, 0, 2, 0, 1));
  EXPECT_EQ((*mixture)->num_parts(), 3);
  std::vector<int> parts;
  std::string bytes, names;
  ScratchBuffer buffer;
  for (int64_t i = 0; i < 8; ++i) {
    parts.push_back((*mixture)->part(i));
    names += (*mixture)->name(i);
    bytes += static_cast<char>((*mixture)->Read(i, buffer)->bytes[0]);
  }
  EXPECT_THAT(parts, ElementsAre(0, 0, 0, 1, 1, 1, 1, 2));
  EXPECT_EQ(names, "a0a1a2b0b1b2b3c0");
  EXPECT_EQ(bytes, "aaabbbbc");
}

TEST(MixtureDatasetTest, WhatWillBeReadIsToldToEachPart) {
  auto first = std::make_unique<Letters>('a', 3, std::vector<std::string>{"x"});
  auto second = std::make_unique<Letters>('b', 4, std::vector<std::string>{"x"});
  const Letters &a = *first, &b = *second;
  std::vector<MixtureDataset::Part> parts;
  parts.push_back({"/a", std::move(first)});
  parts.push_back({"/b", std::move(second)});
  const auto mixture = MixtureDataset::Create(std::move(parts));
  ASSERT_TRUE(mixture.ok());
  (*mixture)->WillRead(1, 5);
  (*mixture)->WillRead(4, 7);
  EXPECT_THAT(a.announced, ElementsAre(std::pair(1, 3)));
  EXPECT_THAT(b.announced, ElementsAre(std::pair(0, 2), std::pair(1, 4)));
}

TEST(MixtureDatasetTest, AFingerprintTellsPartsFromEachOther) {
  const auto ab = Mixture({{3, {"x"}}, {4, {"x"}}}), aa = Mixture({{4, {"x"}}, {3, {"x"}}});
  EXPECT_NE(*(*ab)->Fingerprint(), *(*aa)->Fingerprint());
  EXPECT_EQ(*(*ab)->Fingerprint(), *(*Mixture({{3, {"x"}}, {4, {"x"}}}))->Fingerprint());
}

TEST(MixtureDatasetTest, AClassThatTheFirstDoesNotHaveIsNamed) {
  EXPECT_EQ(Mixture({{3, {"cat", "dog"}}, {4, {"cat", "cow"}}}).status().message(),
            "/b: class \"cow\" is none of /a");
}

}  // namespace
}  // namespace data
