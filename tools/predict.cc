// What a packed network says of images, or how well it does on a data set. Runs without LibTorch.
//
//   predict digits.nqn three.png nine.jpg
//   predict digits.nqn --data=shards/test

#include <string>
#include <vector>

#include "tools/deployment/predict_images.h"
#include "tools/flags/tool.h"

int main(int argc, char** argv) {
  std::vector<std::string> images;
  return tools::RunTool(
      argc, argv, "What a packed network says of images: predict NETWORK IMAGE...", {},
      [&] { return tools::PredictImages(images); }, "network", &images);
}
