#include "data/codec/jpeg_device.h"

namespace data {
namespace {

JpegDeviceFactory& Factory() {
  static JpegDeviceFactory factory = nullptr;
  return factory;
}

}  // namespace

bool RegisterJpegDevice(JpegDeviceFactory factory) {
  Factory() = factory;
  return true;
}

JpegDeviceFactory LinkedJpegDevice() { return Factory(); }

}  // namespace data
