#include "distributed/communication/communicator_factory.h"

namespace distributed {
namespace {

DeviceCommunicatorFactory& Factory() {
  static DeviceCommunicatorFactory factory = nullptr;
  return factory;
}

}  // namespace

bool RegisterCudaCommunicator(DeviceCommunicatorFactory factory) {
  Factory() = factory;
  return true;
}

DeviceCommunicatorFactory CudaCommunicatorFactory() { return Factory(); }

}  // namespace distributed
