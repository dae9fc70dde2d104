#!/usr/bin/env python3
"""What onnxruntime and QONNX's executor make of exported networks: onnx_test.py [[NETWORK:]ACTIVATION/WEIGHT...]

A small network of cells is trained on the digits for an epoch at 4/4 bits and exported as a packed, an ONNX and a QONNX file: as it
was trained, with a mixture of bits, and with pairs of bits, for which it was not trained: what counts is that all compute the same.
By default the pairs are all of {1, 2, 3, 4, 8, 32}, and 5, 6 and 7 with themselves. Likewise networks whose structure is given, with
a few pairs. Test images go through the packed file in our runtime and the ONNX file in onnxruntime; a few through QONNX's executor.
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
CELLS = "cells"
# The flags of a training, whether it has but a few images, at how many it is looked at, and its pairs.
FIXED_NETWORK = ["--images=imagenet", "--weight_lr=0.01"]
NETWORKS = {
    CELLS: (["--architecture=PC_DARTS_cifar", "--channels=4", "--layers=3", "--auxiliary=false", "--epochs=1"], False, None,
            [TRAINED, MIXED] + [f"{a}/{w}" for a, w in PAIRS]),
    "edmips_resnet18": (["--image_size=33", "--epochs=1", *FIXED_NETWORK], False, 120, [TRAINED, MIXED, "2/2"]),
    "resnet18": (["--image_size=33", "--epochs=1", *FIXED_NETWORK], False, 120, [TRAINED, MIXED, "8/8"]),
    "googlenet": (["--image_size=33", "--epochs=1", *FIXED_NETWORK], False, 120, [MIXED]),
    # Whose average pools count zeros of the border.
    "edmips_inception_v3": (["--image_size=75", "--epochs=8", *FIXED_NETWORK], True, 60, [TRAINED, MIXED]),
}
FEW_IMAGES = 64  # That ranges are calibrated on.
QONNX_IMAGES = 2
TOOLS, DIGITS = "tools", "tools/sample_data/digits"


def run(*command):
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  if done.returncode:
    sys.exit(f"{' '.join(command)}\n{done.stderr}")
  return done.stdout


def read_images(path, side):
  """uint8 [N, side, side, 3]."""
  with tarfile.open(path) as tar:
    return numpy.stack([numpy.array(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB").resize((side, side)))
                        for member in tar if member.isfile()])


def train(name, folder):
  """The folder of a training of the network."""
  flags, few, _, _ = NETWORKS[name]
  data = f"{DIGITS}/train.tar"
  if few:
    data = f"{folder}/{name}.tar"
    subset(f"{DIGITS}/test.tar", FEW_IMAGES, data)
  run(f"{TOOLS}/train", *([] if name == CELLS else [f"--network={name}"]), *flags, "--eight_bit=symmetric", "--abits=4",
      "--wbits=4", f"--train_data={data}", "--batch=60", f"--run={folder}/{name}")
  return f"{folder}/{name}"


def subset(path, count, output):
  """The first `count` images of a tar."""
  with tarfile.open(path) as tar, tarfile.open(output, "w") as few:
    for member in [member for member in tar if member.isfile()][:count]:
      few.addfile(member, tar.extractfile(member))


def network_of(trained, pair, folder):
  """Flags of the network of the run `trained` with these bits, and the ranges that it needs."""
  flag = "network" if os.path.exists(f"{trained}/network.json") else "architecture"
  file_name = f"{flag}.json"
  flags = [f"--{flag}={trained}/{file_name}", f"--weights={trained}/weights.pt"]
  if pair == TRAINED:
    return flags
  with open(f"{trained}/{file_name}") as file:
    architecture = json.load(file)
  architecture["network"]["eight_bit"] = "symmetric"
  draw = random.Random(1)
  for name in architecture["bits"]:
    architecture["bits"][name] = ([draw.choice(BITS), draw.choice(BITS)] if pair == MIXED
                                  else [int(bits) for bits in pair.split("/")])
  flags[0] = f"--{flag}={folder}/{file_name}"
  with open(f"{folder}/{file_name}", "w") as file:
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


def check(name, trained, pair):
  with tempfile.TemporaryDirectory() as folder:
    network = network_of(trained, pair, folder)
    files = {}
    for form in ("packed", "onnx", "qonnx"):
      files[form] = f"{folder}/network.{form}"
      run(f"{TOOLS}/export", *network, f"--format={form}", f"--output={files[form]}",
          *(["--include_preprocessing"] if form != "packed" else []))
    packed = PackedNetwork(files["packed"])
    images = read_images(f"{DIGITS}/test.tar", packed.info.height)[:NETWORKS[name][2]]
    expected = packed.logits(images)
    assert expected.std(axis=0).max() > 1e-3, f"{name}:{pair}: all images have the same logits"
    onnx.checker.check_model(files["onnx"], full_check=True)
    pixels = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))
    session = onnxruntime.InferenceSession(files["onnx"], providers=["CPUExecutionProvider"])
    worst, classes = difference(session.run(None, {"pixels": pixels})[0], expected)
    model = ModelWrapper(files["qonnx"]).transform(InferShapes())
    of_qonnx = numpy.concatenate([execute_onnx(model, {"pixels": pixels[i:i + 1]})["logits"]
                                  for i in range(QONNX_IMAGES)])
    qonnx_worst, qonnx_classes = difference(of_qonnx, expected[:QONNX_IMAGES])
    print(f"{name}:{pair}: onnx logits differ by {worst:.1e}, {classes} of {len(images)} classes; qonnx by {qonnx_worst:.1e}, "
          f"{qonnx_classes} of {QONNX_IMAGES}", flush=True)
    return worst < 1e-4 and classes == 0 and qonnx_classes == 0


def main():
  cases = [case.rpartition(":") for case in sys.argv[1:]]
  cases = ([(name or CELLS, pair) for name, _, pair in cases] or
           [(name, pair) for name, (*_, pairs) in NETWORKS.items() for pair in pairs])
  if "TEST_TOTAL_SHARDS" in os.environ:  # Bazel divides the work.
    shard, shards = int(os.environ["TEST_SHARD_INDEX"]), int(os.environ["TEST_TOTAL_SHARDS"])
    of_cells = [case for case in cases if case[0] == CELLS]
    others = sorted(set(name for name, _ in cases if name != CELLS))
    cases = of_cells[shard::shards] + [case for case in cases if case[0] in others[shard::shards]]
    with open(os.environ["TEST_SHARD_STATUS_FILE"], "w"):
      pass
  bad, trained = [], {}
  with tempfile.TemporaryDirectory() as folder:
    for name, pair in cases:
      if name not in trained:
        trained[name] = train(name, folder)
      if not check(name, trained[name], pair):
        bad.append(f"{name}:{pair}")
  print(f"{len(cases) - len(bad)} of {len(cases)} agree" + "".join(f" {case}" for case in bad))
  sys.exit(1 if bad else 0)


if __name__ == "__main__":
  main()
