// Writes a trained network for other programs.
//
//   export --architecture=runs/train/architecture.json --weights=runs/train/weights.pt
//       --data=shards/test --output=digits.nqn

#include "tools/deployment/export_network.h"
#include "tools/flags/presets.h"
#include "tools/flags/tool.h"

int main(int argc, char** argv) {
  return tools::RunTool(argc, argv, "Writes a trained network for other programs.",
                        tools::EvaluationPresets(), tools::ExportNetwork);
}
