#include "quant/runtime/c_api.h"

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "quant/runtime/network.h"

struct nqdarts_network {
  std::unique_ptr<quant::runtime::Network> network;
};

nqdarts_network* nqdarts_open(const char* path, char* error, size_t error_size) {
  std::string message;
  try {
    auto network = quant::runtime::Network::Load(path);
    if (network.ok()) return new nqdarts_network{*std::move(network)};
    message = std::string(network.status().message());
  } catch (const std::exception&) {
    message = "not enough memory";
  }
  if (error != nullptr && error_size > 0) snprintf(error, error_size, "%s", message.c_str());
  return nullptr;
}

void nqdarts_close(nqdarts_network* network) { delete network; }

nqdarts_info nqdarts_describe(const nqdarts_network* network) {
  const auto& description = network->network->description();
  return {description.height, description.width,
          static_cast<int32_t>(network->network->num_classes())};
}

const char* nqdarts_class_name(const nqdarts_network* network, int32_t index) {
  const auto& classes = network->network->description().classes;
  const bool known = index >= 0 && static_cast<size_t>(index) < classes.size();
  return known ? classes[index].c_str() : nullptr;
}

int nqdarts_run(const nqdarts_network* network, const uint8_t* images, size_t count,
                float* logits) {
  try {
    network->network->RunPixels(images, static_cast<int64_t>(count), logits);
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}
