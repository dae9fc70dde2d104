// The images stand in a file of their own, beside two labels.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/fuzz/decode_all.h"
#include "data/sources/idx_dataset.h"

namespace {

std::string MakeFolder() {
  std::string folder = absl::StrCat(std::filesystem::temp_directory_path().native(), "/XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) abort();
  std::ofstream(folder + "/x-labels-idx1-ubyte").write("\0\0\x08\x01\0\0\0\x02\0\x01", 10);
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const std::string* folder = new std::string(MakeFolder());
  const std::string path = *folder + "/x-images-idx3-ubyte";
  std::ofstream(path).write(reinterpret_cast<const char*>(bytes), size);
  const auto dataset = data::IdxDataset::Open(path, {});
  if (dataset.ok()) data::DecodeAll(**dataset);
  return 0;
}
