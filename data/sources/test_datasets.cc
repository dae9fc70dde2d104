#include "data/sources/test_datasets.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "data/io/little_endian.h"
#include "data/sources/image_files.h"
#include "glog/logging.h"

namespace data {

std::string MakeTar(const std::vector<std::pair<std::string, std::string>>& files) {
  constexpr size_t kBlock = 512;
  std::string tar;
  for (const auto& [name, content] : files) {
    char header[kBlock] = {};
    CHECK_LT(name.size(), 100);
    std::memcpy(header, name.data(), name.size());
    std::snprintf(header + 100, 8, "%07o", 0644);
    std::snprintf(header + 124, 12, "%011zo", content.size());
    std::memset(header + 148, ' ', 8);
    header[156] = '0';
    std::memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<uint8_t>(c);
    std::snprintf(header + 148, 8, "%06o", sum);
    tar.append(header, kBlock).append(content);
    tar.append((kBlock - content.size() % kBlock) % kBlock, '\0');
  }
  return tar.append(2 * kBlock, '\0');
}

std::string MakeBeton(const std::string& jpeg, const std::string& raw) {
  constexpr size_t kPage = 4096;
  std::string file;
  AppendLittle<uint16_t>(file, 2);
  AppendLittle<uint16_t>(file, 2);
  AppendLittle<uint32_t>(file, kPage);
  AppendLittle<uint64_t>(file, 2);
  AppendLittle<uint64_t>(file, 3 * kPage);
  file += std::string(1, 2) + std::string(1040, '\0') + std::string(1, 1) + std::string(1040, '\0');
  const uint64_t jpeg_at = kPage, raw_at = 2 * kPage;
  for (const bool is_raw : {false, true}) {
    AppendLittle<uint8_t>(file, is_raw);
    AppendLittle<uint16_t>(file, is_raw ? 3 : 16);
    AppendLittle<uint16_t>(file, is_raw ? 2 : 8);
    AppendLittle<uint64_t>(file, is_raw ? raw_at : jpeg_at);
    file.append(3, '\0');
    AppendLittle<int64_t>(file, !is_raw);
  }
  file.resize(jpeg_at);
  file += jpeg;
  file.resize(raw_at);
  file += raw;
  file.resize(3 * kPage);
  for (const bool is_raw : {true, false}) {
    AppendLittle<uint64_t>(file, is_raw);
    AppendLittle<uint64_t>(file, is_raw ? raw_at : jpeg_at);
    AppendLittle<uint64_t>(file, is_raw ? raw.size() : jpeg.size());
  }
  return file;
}

MemoryDataset::MemoryDataset(std::vector<EncodedSample> samples, std::vector<Bytes> bytes,
                             std::vector<SampleField> fields)
    : samples_(std::move(samples)), bytes_(std::move(bytes)) {
  fields_ = std::move(fields);
}

absl::StatusOr<EncodedSample> MemoryDataset::Read(int64_t index, ScratchBuffer& buffer) const {
  const Bytes& bytes = bytes_[index];
  EncodedSample sample = samples_[index];
  uint8_t* copy = buffer.Reserve(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy);
  sample.bytes = {copy, bytes.size()};
  return sample;
}

MemoryDataset JpegDataset(std::vector<Bytes> jpegs) {
  std::vector<EncodedSample> samples(jpegs.size());
  for (size_t i = 0; i < jpegs.size(); ++i) samples[i].encoding = SniffEncoding(jpegs[i]);
  return MemoryDataset(std::move(samples), std::move(jpegs));
}

}  // namespace data
