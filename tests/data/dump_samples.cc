// Writes every sample of a dataset to stdout: a line "label width height encoding bytes", then the
// bytes. For checks against other programs' hashes.
#include <iostream>

#include "data/io/scratch_buffer.h"
#include "data/loader/open_dataset.h"
#include "data/sources/dataset.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto dataset = data::OpenDataset(argv[1]);
  if (!dataset.ok()) {
    std::cerr << dataset.status().message() << "\n";
    return 1;
  }
  data::ScratchBuffer buffer;
  for (int64_t i = 0; i < (*dataset)->size(); ++i) {
    const auto sample = (*dataset)->Read(i, buffer);
    if (!sample.ok()) {
      std::cerr << sample.status().message() << "\n";
      return 1;
    }
    std::cout << (*dataset)->label(i) << " " << sample->width << " " << sample->height << " "
              << static_cast<int>(sample->encoding) << " " << sample->bytes.size() << "\n";
    std::cout.write(reinterpret_cast<const char*>(sample->bytes.data()), sample->bytes.size());
  }
  return std::cout.flush() ? 0 : 1;
}
