#!/usr/bin/env python3
"""What onnxruntime makes of exported networks: check_onnx.py BIN DIGITS RUN [ACTIVATION/WEIGHT...]

Run by hand, where Python has onnx, onnxruntime, qonnx and pillow; nothing of ours needs them. BIN is bazel-bin, with
//tools:evaluate, //tools:export and //quant/runtime:libnqdarts_runtime.so built; DIGITS is tools/sample_data/digits, RUN the
folder of a training on them. Its network is exported as a packed, an ONNX and a QONNX file: as it was trained, with a mixture of
bits, and with every pair, by default all of {1, 2, 3, 4, 8, 32}, for which it was not trained: what counts is that all compute
the same. All test images go through the packed file in our runtime and the ONNX file in onnxruntime; a few through QONNX's own
executor.
"""

import ctypes
import io
import itertools
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile

import numpy
import onnx
import onnxruntime
from PIL import Image
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

BITS = (1, 2, 3, 4, 8, 32)
TRAINED, MIXED = "trained", "mixed"
FEW_IMAGES = 64  # That 8-bit ranges are calibrated on.
QONNX_IMAGES = 2


def run(*command):
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  if done.returncode:
    sys.exit(f"{' '.join(command)}\n{done.stderr}")
  return done.stdout


def read_images(path):
  """uint8 [N, height, width, 3]."""
  with tarfile.open(path) as tar:
    return numpy.stack([numpy.array(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))
                        for member in tar if member.isfile()])


def packed_logits(library, path, images):
  """Of the C interface (quant/runtime/c_api.h)."""
  class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("height", "width", "classes")]

  library.nqdarts_open.restype = ctypes.c_void_p
  library.nqdarts_describe.restype = Info
  error = ctypes.create_string_buffer(256)
  network = ctypes.c_void_p(library.nqdarts_open(path.encode(), error, ctypes.c_size_t(len(error))))
  if not network:
    sys.exit(error.value.decode())
  logits = numpy.zeros((len(images), library.nqdarts_describe(network).classes), numpy.float32)
  library.nqdarts_run(network, images.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(images)),
                      logits.ctypes.data_as(ctypes.c_void_p))
  library.nqdarts_close(network)
  return logits


def subset(path, count, output):
  """The first `count` images of a tar."""
  with tarfile.open(path) as tar, tarfile.open(output, "w") as few:
    for member in [member for member in tar if member.isfile()][:count]:
      few.addfile(member, tar.extractfile(member))


def network_of(tools, trained, pair, digits, folder):
  """Flags of the network of the run `trained` with these bits, and the ranges that it needs."""
  flags = [f"--architecture={trained}/architecture.json", f"--weights={trained}/weights.pt"]
  if pair == TRAINED:
    return flags
  with open(f"{trained}/architecture.json") as file:
    architecture = json.load(file)
  architecture["network"]["eight_bit"] = "symmetric"
  draw = random.Random(1)
  for name in architecture["bits"]:
    architecture["bits"][name] = ([draw.choice(BITS), draw.choice(BITS)] if pair == MIXED
                                  else [int(bits) for bits in pair.split("/")])
  flags[0] = f"--architecture={folder}/architecture.json"
  with open(f"{folder}/architecture.json", "w") as file:
    json.dump(architecture, file)
  if all(bits[0] != 8 for bits in architecture["bits"].values()):
    return flags
  subset(f"{digits}/test.tar", FEW_IMAGES, f"{folder}/few.tar")
  run(f"{tools}/evaluate", *flags, f"--test_data={folder}/few.tar", "--calibrate=1", f"--calibration_data={folder}/few.tar",
      f"--batch={FEW_IMAGES}", f"--calibrated_weights={folder}/weights.pt")
  return [flags[0], f"--weights={folder}/weights.pt"]


def difference(a, b):
  """Of logits, relative to the largest of b if that is above 1; and how many classes differ."""
  return numpy.abs(a - b).max() / max(1, numpy.abs(b).max()), (a.argmax(1) != b.argmax(1)).sum()


def check(bin_folder, digits, trained, pair, images):
  tools = f"{bin_folder}/tools"
  library = ctypes.CDLL(f"{bin_folder}/quant/runtime/libnqdarts_runtime.so")
  with tempfile.TemporaryDirectory() as folder:
    network = network_of(tools, trained, pair, digits, folder)
    files = {}
    for form in ("packed", "onnx", "qonnx"):
      files[form] = f"{folder}/network.{form}"
      run(f"{tools}/export", *network, f"--format={form}", f"--output={files[form]}",
          *(["--include_preprocessing"] if form != "packed" else []))
    expected = packed_logits(library, files["packed"], images)
    onnx.checker.check_model(files["onnx"], full_check=True)
    pixels = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))
    session = onnxruntime.InferenceSession(files["onnx"], providers=["CPUExecutionProvider"])
    worst, classes = difference(session.run(None, {"pixels": pixels})[0], expected)
    model = ModelWrapper(files["qonnx"]).transform(InferShapes())
    of_qonnx = numpy.concatenate([execute_onnx(model, {"pixels": pixels[i:i + 1]})["logits"]
                                  for i in range(QONNX_IMAGES)])
    qonnx_worst, qonnx_classes = difference(of_qonnx, expected[:QONNX_IMAGES])
    sizes = " ".join(f"{os.path.getsize(files[form]):>7}" for form in files)
    print(f"{pair:>7}: onnx logits differ by {worst:.1e}, {classes} of {len(images)} classes; qonnx by {qonnx_worst:.1e}, "
          f"{qonnx_classes} of {QONNX_IMAGES}; bytes {sizes}", flush=True)
    return worst < 1e-4 and classes == 0 and qonnx_classes == 0


def main():
  bin_folder, digits, trained, *pairs = sys.argv[1:]
  images = read_images(f"{digits}/test.tar")
  pairs = pairs or [TRAINED, MIXED] + [f"{a}/{w}" for a, w in itertools.product(BITS, BITS)]
  bad = [pair for pair in pairs if not check(bin_folder, digits, trained, pair, images)]
  print(f"{len(pairs) - len(bad)} of {len(pairs)} agree" + "".join(f" {pair}" for pair in bad))
  sys.exit(1 if bad else 0)


if __name__ == "__main__":
  main()
