// Converts between our files and those of the published code.
//
//   convert --format=pcdarts --architecture=runs/train/architecture.json
//       --weights=runs/train/weights.pt --output=published.pt
//   convert --format=architecture --architecture=genotypes.py:QDARTS --gammas=gamma_checkpoint.t7
//       --classes=10 --output=architecture.json

#include "tools/deployment/convert_files.h"
#include "tools/flags/presets.h"
#include "tools/flags/tool.h"

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv,
                        "Converts between our files and those of the published code.\n\n"
                        "  convert --format=pcdarts --architecture=runs/train/architecture.json\n"
                        "      --weights=runs/train/weights.pt --output=published.pt",
                        tools::EvaluationPresets(), tools::ConvertFiles);
}
