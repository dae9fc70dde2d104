#!/usr/bin/env python3
"""What onnxruntime and QONNX's executor make of exported networks: onnx_test.py [ACTIVATION/WEIGHT...]

A small network is trained on the digits for an epoch at 4/4 bits and exported as a packed, an ONNX and a QONNX file: as it was
trained, with a mixture of bits, and with pairs of bits, for which it was not trained: what counts is that all compute the same. By
default the pairs are all of {1, 2, 3, 4, 8, 32}, and 5, 6 and 7 with themselves. All test images go through the packed file in our
runtime and the ONNX file in onnxruntime; a few through QONNX's executor.
"""

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

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from packed_network import PackedNetwork  # pylint: disable=wrong-import-position

BITS = (*range(1, 9), 32)
PAIRS = [*itertools.product((1, 2, 3, 4, 8, 32), repeat=2), (5, 5), (6, 6), (7, 7)]
TRAINED, MIXED = "trained", "mixed"
FEW_IMAGES = 64  # That ranges are calibrated on.
QONNX_IMAGES = 2
TOOLS, DIGITS = "tools", "tools/sample_data/digits"


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


def subset(path, count, output):
  """The first `count` images of a tar."""
  with tarfile.open(path) as tar, tarfile.open(output, "w") as few:
    for member in [member for member in tar if member.isfile()][:count]:
      few.addfile(member, tar.extractfile(member))


def network_of(trained, pair, folder):
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
  if all(not 5 <= bits[0] <= 8 for bits in architecture["bits"].values()):
    return flags
  subset(f"{DIGITS}/test.tar", FEW_IMAGES, f"{folder}/few.tar")
  run(f"{TOOLS}/evaluate", *flags, f"--test_data={folder}/few.tar", "--calibrate=1", f"--calibration_data={folder}/few.tar",
      f"--batch={FEW_IMAGES}", f"--calibrated_weights={folder}/weights.pt")
  return [flags[0], f"--weights={folder}/weights.pt"]


def difference(a, b):
  """Of logits, relative to the largest of b if that is above 1; and how many classes differ."""
  return numpy.abs(a - b).max() / max(1, numpy.abs(b).max()), (a.argmax(1) != b.argmax(1)).sum()


def check(trained, pair, images):
  with tempfile.TemporaryDirectory() as folder:
    network = network_of(trained, pair, folder)
    files = {}
    for form in ("packed", "onnx", "qonnx"):
      files[form] = f"{folder}/network.{form}"
      run(f"{TOOLS}/export", *network, f"--format={form}", f"--output={files[form]}",
          *(["--include_preprocessing"] if form != "packed" else []))
    expected = PackedNetwork(files["packed"]).logits(images)
    onnx.checker.check_model(files["onnx"], full_check=True)
    pixels = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))
    session = onnxruntime.InferenceSession(files["onnx"], providers=["CPUExecutionProvider"])
    worst, classes = difference(session.run(None, {"pixels": pixels})[0], expected)
    model = ModelWrapper(files["qonnx"]).transform(InferShapes())
    of_qonnx = numpy.concatenate([execute_onnx(model, {"pixels": pixels[i:i + 1]})["logits"]
                                  for i in range(QONNX_IMAGES)])
    qonnx_worst, qonnx_classes = difference(of_qonnx, expected[:QONNX_IMAGES])
    print(f"{pair:>7}: onnx logits differ by {worst:.1e}, {classes} of {len(images)} classes; qonnx by {qonnx_worst:.1e}, "
          f"{qonnx_classes} of {QONNX_IMAGES}", flush=True)
    return worst < 1e-4 and classes == 0 and qonnx_classes == 0


def main():
  images = read_images(f"{DIGITS}/test.tar")
  pairs = sys.argv[1:] or [TRAINED, MIXED] + [f"{a}/{w}" for a, w in PAIRS]
  if "TEST_TOTAL_SHARDS" in os.environ:  # Bazel divides the work.
    pairs = pairs[int(os.environ["TEST_SHARD_INDEX"])::int(os.environ["TEST_TOTAL_SHARDS"])]
    with open(os.environ["TEST_SHARD_STATUS_FILE"], "w"):
      pass
  with tempfile.TemporaryDirectory() as trained:
    run(f"{TOOLS}/train", "--architecture=PC_DARTS_cifar", "--channels=4", "--layers=3", "--auxiliary=false",
        "--eight_bit=symmetric", "--abits=4", "--wbits=4", f"--train_data={DIGITS}/train.tar", "--batch=60", "--epochs=1",
        f"--run={trained}/run")
    bad = [pair for pair in pairs if not check(f"{trained}/run", pair, images)]
  print(f"{len(pairs) - len(bad)} of {len(pairs)} agree" + "".join(f" {pair}" for pair in bad))
  sys.exit(1 if bad else 0)


if __name__ == "__main__":
  main()
