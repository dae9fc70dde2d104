// The batch stands in a file of its own, with two names of classes beside it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/fuzz/decode_all.h"
#include "data/sources/cifar_dataset.h"

namespace {

std::string MakeFolder() {
  std::string folder = absl::StrCat(std::filesystem::temp_directory_path().native(), "/XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) abort();
  std::ofstream(folder + "/batches.meta.txt") << "even\nodd\n";
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const std::string* folder = new std::string(MakeFolder());
  const std::string path = *folder + "/batch.bin";
  std::ofstream(path).write(reinterpret_cast<const char*>(bytes), size);
  const auto dataset = data::CifarDataset::Open(path);
  if (dataset.ok()) data::DecodeAll(**dataset);
  return 0;
}
