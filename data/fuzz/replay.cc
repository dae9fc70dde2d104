// Runs a fuzz target on the files of a corpus, and on mutations of them that are the same each
// time.
//
//   beton_fuzz_test corpus/beton/*
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include "base/file.h"
#include "data/pixels/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {

constexpr int kMutations = 1000;  // of each file

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// Cuts the file, or sets up to four bytes, to extreme values half of the time.
std::string Mutate(std::string input, data::Random& random) {
  constexpr char kExtremes[] = {0, 1, 0x7f, '\x80', '\xff'};
  if (random.Below(8) == 0) input.resize(random.Below(input.size()));
  for (uint64_t i = random.Below(4) + 1; i > 0 && !input.empty(); --i) {
    input[random.Below(input.size())] = random.Below(2) == 0
                                            ? kExtremes[random.Below(sizeof(kExtremes))]
                                            : static_cast<char>(random.Next());
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const auto input = base::ReadFile(argv[i]);
    if (!input.ok() || input->empty()) {
      std::cerr << argv[i] << ": no input\n";
      return 1;
    }
    Run(*input);
    data::Random random(/*seed=*/i);
    for (int k = 0; k < kMutations; ++k) Run(Mutate(*input, random));
  }
  std::cout << (argc - 1) * (kMutations + 1) << " inputs\n";
  return argc > 1 ? 0 : 1;
}
