"""Loads what stands in for CUDA's libraries before torch asks for them; Python imports this as it starts."""

import ctypes
import pathlib

_HERE = pathlib.Path(__file__).parent
_CUDA_RUNTIME = _HERE.parents[3] / "cuda_runtime/nvidia/cu13/lib"

for _library in (
    _CUDA_RUNTIME / "libcudart.so.13",
    _CUDA_RUNTIME / "libcupti.so.13",
    _HERE / "libcudnn.so.9",
    _HERE / "libcufile.so.0",
    _HERE / "libtorch_cuda.so",
):
    ctypes.CDLL(str(_library), mode=ctypes.RTLD_GLOBAL)
