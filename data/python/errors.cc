#include "data/python/errors.h"

#include <string>

#include "nanobind/nanobind.h"

namespace data {
namespace {

// A subclass of OSError that Python's side of the package defines.
nanobind::object DamagedSampleError() {
  return nanobind::module_::import_("nqdarts.data.errors").attr("DamagedSampleError");
}

nanobind::object ExceptionFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return nanobind::borrow(PyExc_ValueError);
    case absl::StatusCode::kNotFound:
      return nanobind::borrow(PyExc_FileNotFoundError);
    case absl::StatusCode::kPermissionDenied:
      return nanobind::borrow(PyExc_PermissionError);
    case absl::StatusCode::kDataLoss:
      return DamagedSampleError();
    default:
      return nanobind::borrow(PyExc_OSError);
  }
}

}  // namespace

void RaiseIfError(const absl::Status& status) {
  if (status.ok()) return;
  PyErr_SetString(ExceptionFor(status.code()).ptr(), std::string(status.message()).c_str());
  throw nanobind::python_error();
}

}  // namespace data
