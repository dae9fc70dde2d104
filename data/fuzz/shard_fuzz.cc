// Checksums are made right first, or no mutation would get past them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "data/fuzz/decode_all.h"
#include "data/fuzz/memory_file.h"
#include "data/io/little_endian.h"
#include "data/shard/shard_format.h"
#include "data/shard/shard_reader.h"

namespace {

void Store(std::string& shard, size_t at, uint64_t value) {
  shard.replace(at, sizeof(value), reinterpret_cast<const char*>(&value), sizeof(value));
}

void MakeChecksumsRight(std::string& shard) {
  const uint64_t size = shard.size();
  const uint64_t records = std::min(data::LoadLittle<uint64_t>(&shard[32]), size);
  const uint64_t names = std::min(data::LoadLittle<uint64_t>(&shard[40]), size);
  for (size_t at = records; at + data::kShardRecordSize <= names; at += data::kShardRecordSize) {
    const uint64_t offset = std::min(data::LoadLittle<uint64_t>(&shard[at]), size);
    const auto payload = shard.substr(offset, data::LoadLittle<uint32_t>(&shard[at + 16]));
    Store(shard, at + 8, data::ShardChecksum(payload));
  }
  Store(shard, 16, size);
  Store(shard, 56, data::ShardChecksum(shard.substr(records)));
  Store(shard, 64, data::ShardChecksum(shard.substr(0, 64)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  std::string shard(reinterpret_cast<const char*>(bytes), size);
  if (size >= data::kShardHeaderSize) MakeChecksumsRight(shard);
  const data::MemoryFile file(shard.data(), shard.size());
  const auto reader = data::ShardReader::Open(file.path());
  if (reader.ok()) data::DecodeAll(*reader);
  return 0;
}
