#!/usr/bin/env python3
"""What onnxruntime makes of exported networks: check_onnx.py BIN DIGITS [ACTIVATION/WEIGHT...]

Run by hand, where Python has onnx, onnxruntime, qonnx and pillow; nothing of ours needs them. BIN is bazel-bin, with //tools:train,
//tools:export and //quant/runtime:libnqdarts_runtime.so built; DIGITS is tools/sample_data/digits. A float network is trained; then,
for every pair of bits, by default all of {1, 2, 3, 4, 8, 32} and a mixture, it is trained on some images with these and exported as
a packed, an ONNX and a QONNX file. All test images go through the packed file in our runtime and the ONNX file in onnxruntime; a few
through QONNX's own executor.
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
MIXED = "mixed"
SHAPE = ("--architecture=PC_DARTS_cifar", "--channels=4", "--layers=3", "--auxiliary=false", "--eight_bit=symmetric")
TUNING_IMAGES = 256
QONNX_IMAGES = 4


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


def train_float(tools, digits, folder):
  subset(f"{digits}/train.tar", TUNING_IMAGES, f"{folder}/few.tar")
  run(f"{tools}/train", *SHAPE, f"--train_data={digits}/train.tar", "--batch=32", "--epochs=1", f"--run={folder}/float")


def mixed_architecture(folder):
  """Every convolution bits of its own."""
  with open(f"{folder}/float/architecture.json") as file:
    architecture = json.load(file)
  draw = random.Random(1)
  for name in architecture["bits"]:
    architecture["bits"][name] = [draw.choice(BITS), draw.choice(BITS)]
  with open(f"{folder}/mixed.json", "w") as file:
    json.dump(architecture, file)


def train(tools, pair, folder, trained):
  """The flags of the float network in `trained`, trained on with these bits."""
  if pair == MIXED:
    mixed_architecture(trained)
    bits = [f"--architecture={trained}/mixed.json"]
  else:
    abits, wbits = pair.split("/")
    bits = [*SHAPE, f"--abits={abits}", f"--wbits={wbits}"]
  run(f"{tools}/train", *bits, f"--train_data={trained}/few.tar", "--batch=32", "--epochs=1", "--weight_lr=0.005",
      f"--initial_weights={trained}/float/weights.pt", f"--run={folder}/run")
  return [f"--architecture={folder}/run/architecture.json", f"--weights={folder}/run/weights.pt"]


def difference(a, b):
  return numpy.abs(a - b).max(), (a.argmax(1) != b.argmax(1)).sum()


def check(bin_folder, pair, images, trained):
  tools = f"{bin_folder}/tools"
  library = ctypes.CDLL(f"{bin_folder}/quant/runtime/libnqdarts_runtime.so")
  with tempfile.TemporaryDirectory() as folder:
    network = train(tools, pair, folder, trained)
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
    print(f"{pair:>6}: onnx logits differ by {worst:.1e}, {classes} of {len(images)} classes; qonnx by {qonnx_worst:.1e}, "
          f"{qonnx_classes} of {QONNX_IMAGES}; bytes {sizes}", flush=True)
    return worst < 1e-4 and classes == 0 and qonnx_classes == 0


def main():
  bin_folder, digits, *pairs = sys.argv[1:]
  images = read_images(f"{digits}/test.tar")
  pairs = pairs or [f"{a}/{w}" for a, w in itertools.product(BITS, BITS)] + [MIXED]
  with tempfile.TemporaryDirectory() as trained:
    train_float(f"{bin_folder}/tools", digits, trained)
    bad = [pair for pair in pairs if not check(bin_folder, pair, images, trained)]
  print(f"{len(pairs) - len(bad)} of {len(pairs)} pairs agree" + "".join(f" {pair}" for pair in bad))
  sys.exit(1 if bad else 0)


if __name__ == "__main__":
  main()
