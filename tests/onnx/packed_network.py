"""A packed network in our runtime, by its C interface (quant/runtime/c_api.h)."""

import ctypes

import numpy

LIBRARY = "quant/runtime/libnqdarts_runtime.so"


class _Info(ctypes.Structure):
  _fields_ = [(name, ctypes.c_int32) for name in ("height", "width", "classes")]


class PackedNetwork:

  def __init__(self, path):
    self._library = ctypes.CDLL(LIBRARY)
    self._library.nqdarts_open.restype = ctypes.c_void_p
    self._library.nqdarts_describe.restype = _Info
    error = ctypes.create_string_buffer(256)
    self._network = ctypes.c_void_p(self._library.nqdarts_open(path.encode(), error, ctypes.c_size_t(len(error))))
    if not self._network:
      raise ValueError(error.value.decode())
    self.info = self._library.nqdarts_describe(self._network)

  def __del__(self):
    self._library.nqdarts_close(self._network)

  def logits(self, images):
    """Of uint8 [N, height, width, 3]."""
    logits = numpy.zeros((len(images), self.info.classes), numpy.float32)
    done = self._library.nqdarts_run(self._network, images.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(images)),
                                     logits.ctypes.data_as(ctypes.c_void_p))
    assert done == 0
    return logits
