// Shards as no writer makes them, with every checksum right: the reader trusts none of their
// numbers.
#include "data/shard/shard_reader.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/file.h"
#include "data/codec/jpeg_transcoder.h"
#include "data/codec/test_images.h"
#include "data/io/encoded_sample.h"
#include "data/io/scratch_buffer.h"
#include "data/shard/shard_format.h"
#include "data/shard/shard_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace data {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uint64_t kHuge = uint64_t{1} << 63;

std::string TestPath(const std::string& name) {
  return absl::StrCat(getenv("TEST_TMPDIR"), "/", name);
}

absl::Status AddSamples(ShardWriter& writer) {
  for (int i = 0; i < 3; ++i) {
    const auto jpeg = TranscodeJpeg(MakeJpeg(100, 40, i));
    EncodedSample sample;
    sample.bytes = jpeg->bytes;
    sample.width = 100;
    sample.height = 40;
    sample.restarts = jpeg->restarts();
    if (absl::Status status = writer.Add(sample, i, absl::StrCat("name", i)); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// A shard in parts, to be changed and put together again.
struct Parts {
  ShardHeader header;
  std::string payload;
  std::vector<ShardRecord> records;
  std::string names;
};

Parts ReadParts() {
  const std::string path = TestPath("good.shard");
  auto writer = ShardWriter::Create(path);
  EXPECT_TRUE(writer.ok()) << writer.status();
  EXPECT_TRUE(AddSamples(**writer).ok());
  EXPECT_TRUE((*writer)->Finish(/*fingerprint=*/1).ok());
  const std::string file = *base::ReadFile(path);
  Parts parts;
  parts.header = *DecodeShardHeader(file.substr(0, kShardHeaderSize));
  const uint64_t records = parts.header.records_offset, names = parts.header.names_offset;
  parts.payload = file.substr(kShardHeaderSize, records - kShardHeaderSize);
  for (uint64_t at = records; at < names; at += kShardRecordSize) {
    parts.records.push_back(*DecodeShardRecord(file.substr(at, kShardRecordSize), false));
  }
  parts.names = file.substr(names);
  return parts;
}

// What opening says of the shard after `change`, whose header keeps what it changes.
std::string OpenChanged(const std::function<void(Parts&)>& change) {
  Parts parts = ReadParts();
  change(parts);
  std::string index;
  for (const ShardRecord& record : parts.records) AppendShardRecord(record, index);
  index += parts.names;
  parts.header.index_checksum = ShardChecksum(index);
  const std::string path = TestPath("changed.shard");
  const std::string file = EncodeShardHeader(parts.header) + parts.payload + index;
  EXPECT_TRUE(base::WriteFileAtomically(path, file).ok());
  const auto shard = ShardReader::Open(path);
  if (shard.ok()) return "";
  EXPECT_THAT(std::string(shard.status().message()), HasSubstr(path));
  return std::string(shard.status().message());
}

TEST(ShardReaderTest, ForgedRecordsDoNotOpen) {
  EXPECT_EQ(OpenChanged([](Parts&) {}), "");
  const auto error = [](const std::function<void(ShardRecord&)>& change) {
    return OpenChanged([&change](Parts& parts) { change(parts.records[1]); });
  };
  const char* overlap = "does not start where the sample before it ends";
  EXPECT_THAT(error([](ShardRecord& r) { r.offset -= 1; }), HasSubstr(overlap));
  EXPECT_THAT(error([](ShardRecord& r) { r.offset = kShardHeaderSize; }), HasSubstr(overlap));
  EXPECT_THAT(error([](ShardRecord& r) { r.offset = kHuge; }), HasSubstr(overlap));
  EXPECT_THAT(error([](ShardRecord& r) { r.size += 1; }), HasSubstr(overlap));
  EXPECT_THAT(error([](ShardRecord& r) { r.size = ~0u; }), HasSubstr(overlap));
  EXPECT_THAT(error([](ShardRecord& r) { r.size = 0; }), HasSubstr("sizes that contradict"));
  EXPECT_THAT(error([](ShardRecord& r) { r.width = 0; }), HasSubstr("sizes that contradict"));
  EXPECT_THAT(error([](ShardRecord& r) { r.restart_rows = 65535; }),
              HasSubstr("sizes that contradict"));
  EXPECT_THAT(error([](ShardRecord& r) { r.encoding = static_cast<Encoding>(3); }),
              HasSubstr("unknown encoding 3"));
  EXPECT_THAT(error([](ShardRecord& r) { r.encoding = Encoding::kRawRgb; }),
              HasSubstr("sizes that contradict"));
  EXPECT_THAT(OpenChanged([](Parts& parts) { parts.records[2].size -= 1; }),
              HasSubstr("do not end where the index starts"));
  EXPECT_THAT(OpenChanged([](Parts& parts) { parts.names[4 * 2 + 3] = 1; }),
              HasSubstr("leaves the names"));
}

// A shard of one sample with two fields, and its checksum after `change`.
absl::Status ReadWithFields(const std::function<void(std::string&)>& change) {
  const std::string path = TestPath("fields.shard");
  auto writer = ShardWriter::Create(path);
  EXPECT_TRUE(writer.ok()) << writer.status();
  const std::string image = "rgbRGB", json = "{}";
  const auto bytes = [](const std::string& text) {
    return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  EncodedSample sample;
  sample.encoding = Encoding::kRawRgb;
  sample.width = 2, sample.height = 1;
  sample.bytes = bytes(image);
  sample.fields = {bytes(json), {}};
  EXPECT_TRUE((*writer)->Add(sample, 0, "name").ok());
  EXPECT_TRUE((*writer)->Finish(/*fingerprint=*/1).ok());
  std::string file = *base::ReadFile(path);
  ShardHeader header = *DecodeShardHeader(file.substr(0, kShardHeaderSize));
  std::string payload = file.substr(kShardHeaderSize, header.records_offset - kShardHeaderSize);
  change(payload);
  ShardRecord record =
      *DecodeShardRecord(file.substr(header.records_offset, kShardRecordSize), true);
  record.checksum = ShardChecksum(payload);
  std::string index;
  AppendShardRecord(record, index);
  index += file.substr(header.records_offset + kShardRecordSize);
  header.index_checksum = ShardChecksum(index);
  EXPECT_TRUE(base::WriteFileAtomically(path, EncodeShardHeader(header) + payload + index).ok());
  const auto shard = ShardReader::Open(path);
  EXPECT_TRUE(shard.ok()) << shard.status();
  ScratchBuffer buffer;
  const auto read = shard->Read(0, buffer);
  if (!read.ok()) return read.status();
  EXPECT_EQ(std::string(read->bytes.begin(), read->bytes.end()), image);
  EXPECT_EQ(read->fields.size(), 2);
  EXPECT_EQ(std::string(read->fields[0].begin(), read->fields[0].end()), json);
  EXPECT_EQ(read->fields[1].data(), nullptr);
  return absl::OkStatus();
}

// Image of 6 bytes, field of 2, sizes of 2 fields, their number.
TEST(ShardReaderTest, FieldsWhoseSizesMakeNoSenseAreDamage) {
  EXPECT_TRUE(ReadWithFields([](std::string&) {}).ok());
  for (const auto& [at, wrong] :
       {std::pair(8, 3), {8, 1}, {8, 255}, {12, 1}, {16, 1}, {16, 3}, {16, 200}, {19, 1}}) {
    const absl::Status status = ReadWithFields([&, at = at, wrong = wrong](std::string& payload) {
      ASSERT_EQ(payload.size(), 20);
      payload[at] = static_cast<char>(wrong);
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << at << " " << wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr("sample 0 (name)"));
  }
}

TEST(ShardReaderTest, ForgedHeadersDoNotOpen) {
  using Field = uint64_t ShardHeader::*;
  for (const Field field : {&ShardHeader::file_size, &ShardHeader::records_offset,
                            &ShardHeader::names_offset, &ShardHeader::rejected_offset}) {
    for (const uint64_t wrong : {uint64_t{0}, uint64_t{73}, kHuge, ~uint64_t{0}}) {
      EXPECT_NE(OpenChanged([&](Parts& parts) { parts.header.*field = wrong; }), "");
    }
    for (const int64_t off : {-32, -1, 1, 32}) {
      EXPECT_NE(OpenChanged([&](Parts& parts) { parts.header.*field += off; }), "");
    }
  }
  for (const uint32_t count : {0u, 2u, 4u, ~0u}) {
    EXPECT_NE(OpenChanged([&](Parts& parts) { parts.header.sample_count = count; }), "");
  }
}

// Also what a killed writer leaves: its temporary file at any moment.
TEST(ShardWriterTest, OnlyAFinishedShardOpens) {
  const std::string path = TestPath("unfinished.shard");
  std::string temporary;
  {
    auto writer = ShardWriter::Create(path);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (int i = 0; i < 400; ++i) ASSERT_TRUE(AddSamples(**writer).ok());
    EXPECT_FALSE(fs::exists(path));
    for (const auto& entry : fs::directory_iterator(getenv("TEST_TMPDIR"))) {
      if (entry.path().native().find("unfinished.shard.tmp") != std::string::npos) {
        temporary = entry.path();
      }
    }
    ASSERT_GT(fs::file_size(temporary), 1 << 20);
    EXPECT_THAT(std::string(ShardReader::Open(temporary).status().message()),
                HasSubstr("not a shard"));
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::exists(temporary));
}

TEST(ShardWriterTest, WhatDoesNotFitTheFormatIsRefused) {
  auto writer = ShardWriter::Create(TestPath("refused.shard"));
  ASSERT_TRUE(writer.ok()) << writer.status();
  EncodedSample sample;
  const auto add = [&] { return (*writer)->Add(sample, 0, "big").code(); };
  sample.width = sample.height = std::numeric_limits<uint16_t>::max();
  EXPECT_EQ(add(), absl::StatusCode::kOk);
  sample.width += 1;
  EXPECT_EQ(add(), absl::StatusCode::kInvalidArgument);
  sample.width = 0;
  EXPECT_EQ(add(), absl::StatusCode::kInvalidArgument);
  sample.width = 1;
  sample.restarts.columns = 256;
  EXPECT_EQ(add(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace data
