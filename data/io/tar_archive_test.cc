#include "data/io/tar_archive.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

using ::testing::HasSubstr;
using Kind = TarMember::Kind;

constexpr size_t kBlock = 512;
const std::string kEnd(2 * kBlock, '\0');  // NOLINT: of a test

std::string Header(const std::string& name, char type, size_t size, const std::string& target = "",
                   bool sparse_map_goes_on = false) {
  char header[kBlock] = {};
  std::memcpy(header, name.data(), name.size());
  std::snprintf(header + 100, 8, "%07o", 0644);
  std::snprintf(header + 124, 12, "%011zo", size);
  std::memset(header + 148, ' ', 8);
  header[156] = type;
  std::memcpy(header + 157, target.data(), target.size());
  std::memcpy(header + 257, "ustar\00000", 8);
  header[482] = sparse_map_goes_on;
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<uint8_t>(c);
  std::snprintf(header + 148, 8, "%06o", sum);
  return std::string(header, kBlock);
}

std::string Padded(std::string content) {
  content.resize((content.size() + kBlock - 1) / kBlock * kBlock);
  return content;
}

std::string Member(const std::string& name, char type, const std::string& content) {
  return Header(name, type, content.size()) + Padded(content);
}

absl::StatusOr<std::vector<TarMember>> List(const std::string& tar) {
  const std::string path = absl::StrCat(getenv("TEST_TMPDIR"), "/list.tar");
  EXPECT_TRUE(base::WriteFileAtomically(path, tar).ok());
  return ListTar(*RandomAccessFile::Open(path));
}

std::string Error(const std::string& tar) { return std::string(List(tar).status().message()); }

TEST(TarArchiveTest, EveryMemberIsListedWithItsKind) {
  const std::string tar = Header("d/", '5', 0) + Member("a", '0', "aa") + Member("b", '7', "b") +
                          Header("c", '1', 0, "a") + Header("l", '2', 0, "d/x") +
                          Header("p", '6', 0) + Member("D", 'D', "names") +
                          Member("z", '\0', "zz") + kEnd;
  const auto members = List(tar);
  ASSERT_TRUE(members.ok()) << members.status();
  ASSERT_EQ(members->size(), 8);
  const Kind kinds[] = {Kind::kFolder,       Kind::kFile,  Kind::kFile,  Kind::kHardLink,
                        Kind::kSymbolicLink, Kind::kOther, Kind::kOther, Kind::kFile};
  for (int i = 0; i < 8; ++i) EXPECT_EQ((*members)[i].kind, kinds[i]) << (*members)[i].name;
  EXPECT_EQ((*members)[3].target, "a");
  EXPECT_EQ((*members)[4].target, "d/x");
  for (const int i : {1, 7}) {
    EXPECT_EQ(tar.substr((*members)[i].offset, (*members)[i].size), i == 1 ? "aa" : "zz");
    EXPECT_EQ((*members)[i].offset, (*members)[i].header + kBlock);
  }
}

// A size in the header of a link or a folder is of no content: what follows is the next member.
TEST(TarArchiveTest, LinksHaveNoContent) {
  const auto members = List(Header("l", '1', 5000, "a") + Member("a", '0', "a") + kEnd);
  ASSERT_TRUE(members.ok()) << members.status();
  EXPECT_EQ(members->size(), 2);
}

TEST(TarArchiveTest, SparseMembersAreToldApart) {
  std::string map(kBlock, 'x');
  map[504] = 1;
  std::string last = map;
  last[504] = 0;
  const auto old = List(Header("s", 'S', 3, "", true) + map + last + Padded("sss") +
                        Member("a", '0', "a") + kEnd);
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ((*old)[0].kind, Kind::kSparse);
  EXPECT_EQ((*old)[1].name, "a");
  EXPECT_FALSE(List(Header("s", 'S', 3, "", true) + map).ok());

  const auto pax = List(Member("x", 'x', "22 GNU.sparse.major=1\n") + Member("s", '0', "s") +
                        Member("a", '0', "a") + kEnd);
  ASSERT_TRUE(pax.ok()) << pax.status();
  EXPECT_EQ((*pax)[0].kind, Kind::kSparse);
  EXPECT_EQ((*pax)[1].kind, Kind::kFile);
}

TEST(TarArchiveTest, LongNamesAndTargets) {
  const std::string name(300, 'n'), target(300, 't');
  const auto gnu = List(Member("././@LongLink", 'L', name) + Member("././@LongLink", 'K', target) +
                        Header("n", '2', 0, "t") + Member("a", '0', "") + kEnd);
  ASSERT_TRUE(gnu.ok()) << gnu.status();
  EXPECT_EQ((*gnu)[0].name, name);
  EXPECT_EQ((*gnu)[0].target, target);
  EXPECT_EQ((*gnu)[1].name, "a");
  const auto pax =
      List(Member("x", 'x', "14 linkpath=tt\n9 path=p\n") + Header("n", '2', 0, "t") + kEnd);
  EXPECT_FALSE(pax.ok());  // a record's length is wrong
  const auto right =
      List(Member("x", 'x', "15 linkpath=tt\n9 path=p\n") + Header("n", '2', 0, "t") + kEnd);
  ASSERT_TRUE(right.ok()) << right.status();
  EXPECT_EQ((*right)[0].name, "p");
  EXPECT_EQ((*right)[0].target, "tt");
}

TEST(TarArchiveTest, GlobalHeadersMayComment) {
  EXPECT_EQ(List(Member("g", 'g', "13 comment=x\n") + Member("a", '0', "") + kEnd)->size(), 1);
  EXPECT_THAT(Error(Member("g", 'g', "9 path=p\n") + Member("a", '0', "") + kEnd),
              HasSubstr("at byte 0: a global header that names or sizes all members"));
}

// Programs that join archives leave an end in the middle, behind which most readers do not look.
TEST(TarArchiveTest, NothingFollowsTheEnd) {
  const std::string one = Member("a", '0', "a") + kEnd;
  EXPECT_TRUE(List(one + std::string(100 * kBlock, '\0')).ok());
  EXPECT_TRUE(List(Member("a", '0', "a") + std::string(kBlock, '\0')).ok());
  EXPECT_THAT(Error(one + one),
              HasSubstr("list.tar: at byte 2048: something follows the end of the archive"));
  EXPECT_THAT(Error(one + std::string(200 * kBlock, '\0') + "x"), HasSubstr("something follows"));
}

TEST(TarArchiveTest, OtherVolumesAreNamed) {
  EXPECT_THAT(Error(Member("a", 'M', "a") + kEnd), HasSubstr("goes on from another volume"));
}

}  // namespace
}  // namespace data
