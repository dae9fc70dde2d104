#include <cstddef>
#include <cstdint>

#include "data/fuzz/decode_all.h"
#include "data/fuzz/memory_file.h"
#include "data/sources/beton_dataset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const data::MemoryFile file(bytes, size);
  const auto dataset =
      data::BetonDataset::Open(file.path(), {.allow_empty_classes = true, .fields = {.all = true}});
  if (dataset.ok()) data::DecodeAll(**dataset);
  return 0;
}
