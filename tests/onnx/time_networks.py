#!/usr/bin/env python3
"""Networks in our runtime beside the same in float, in torch and in onnxruntime: time_networks.py FLOAT_RUN RUN...

The arguments are folders of trainings, the first one without bits. Prints, for each RUN packed, and for the float network packed, in
torch, in onnxruntime, and quantized to 8 bits a channel by onnxruntime's own tool: bytes of the file, megabytes by which the peak
memory of a process grows that loads it and runs an image, milliseconds of an image alone on one thread, images per second of 32 on
one thread and on two. Times are the best of many rounds, in each of which every network runs once, so that what else the machine does
meets all of them alike.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

ROUNDS, BATCH, BATCH_ROUNDS = 40, 32, 8
SIDE = 32  # Of CIFAR's images and the digits.
IMAGES = numpy.random.default_rng(1).normal(size=(BATCH, 3, SIDE, SIDE)).astype(numpy.float32)
PIXELS = numpy.random.default_rng(1).integers(0, 256, size=(BATCH, SIDE, SIDE, 3), dtype=numpy.uint8)


class Packed:

  def __init__(self, path, threads):
    from packed_network import PackedNetwork
    self._network = PackedNetwork(path)
    self._threads = threads

  def run(self, count):
    shares = numpy.array_split(PIXELS[:count], self._threads)
    others = [threading.Thread(target=self._network.logits, args=(share,)) for share in shares[1:]]
    for other in others:
      other.start()
    self._network.logits(shares[0])
    for other in others:
      other.join()


class Onnxruntime:

  def __init__(self, path, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    self._name = self._session.get_inputs()[0].name

  def run(self, count):
    self._session.run(None, {self._name: IMAGES[:count]})


class Torch:

  def __init__(self, folder, threads):
    import torch
    from nqdarts.architecture import load
    self._torch, self._threads = torch, threads
    self._network = load(f"{folder}/architecture.json", f"{folder}/weights.pt").eval()

  def run(self, count):
    self._torch.set_num_threads(self._threads)
    with self._torch.inference_mode():
      self._network(self._torch.from_numpy(IMAGES[:count]))


KINDS = {"packed": Packed, "onnxruntime": Onnxruntime, "torch": Torch}


def import_all(kind):
  """What a network of this kind needs, so that its memory is not counted."""
  if kind == "onnxruntime":
    import onnxruntime  # pylint: disable=unused-import
  elif kind == "torch":
    import torch
    import nqdarts.architecture  # pylint: disable=unused-import
    torch.set_num_threads(1)


def status(field):
  with open("/proc/self/status") as file:
    return next(int(line.split()[1]) / 1024 for line in file if line.startswith(field))


def print_memory(kind, path):
  import_all(kind)
  before = status("VmRSS")
  KINDS[kind](path, 1).run(1)
  print(status("VmHWM") - before)


def quantize(path, output):
  """8 bits a channel, by onnxruntime's tool."""
  from onnxruntime import quantization

  class Calibration(quantization.CalibrationDataReader):

    def __init__(self):
      self._batches = iter([{"image": IMAGES[i:i + 1]} for i in range(BATCH)])

    def get_next(self):
      return next(self._batches, None)

  quantization.quantize_static(path, output, Calibration(), per_channel=True)


def export(run, form, output):
  subprocess.run(["tools/export", f"--architecture={run}/architecture.json", f"--weights={run}/weights.pt", f"--format={form}",
                  f"--output={output}"], check=True, stdout=subprocess.DEVNULL)


def seconds(network, count):
  start = time.perf_counter()
  network.run(count)
  return time.perf_counter() - start


def compare(float_run, runs, folder):
  subjects = []  # (name, kind, path, file)
  for run in (*runs, float_run):
    path = f"{folder}/{len(subjects)}.nqn"
    export(run, "packed", path)
    subjects.append((f"packed, {os.path.basename(os.path.normpath(run))}", "packed", path, path))
  subjects.append(("float, torch", "torch", float_run, f"{float_run}/weights.pt"))
  for name, path in (("float, onnxruntime", f"{folder}/float.onnx"), ("int8, onnxruntime", f"{folder}/int8.onnx")):
    if name.startswith("float"):
      export(float_run, "onnx", path)
    else:
      quantize(f"{folder}/float.onnx", path)
    subjects.append((name, "onnxruntime", path, path))
  memory = [float(subprocess.run([sys.executable, "-P", __file__, "--memory", kind, path], check=True, capture_output=True,
                                 text=True).stdout) for _, kind, path, _ in subjects]
  best = [[float("inf")] * 3 for _ in subjects]
  networks = [[KINDS[kind](path, threads) for threads in (1, 2)] for _, kind, path, _ in subjects]
  for i in range(ROUNDS):
    for (one, two), times in zip(networks, best):
      times[0] = min(times[0], seconds(one, 1))
      if i < BATCH_ROUNDS:
        times[1] = min(times[1], seconds(one, BATCH))
        times[2] = min(times[2], seconds(two, BATCH))
  print(f"{'':<22} {'file':>10} {'memory':>8} {'ms/image':>9} {'images/s':>9} {'2 threads':>9}")
  for (name, _, _, file), megabytes, times in zip(subjects, memory, best):
    print(f"{name:<22} {os.path.getsize(file):>10} {megabytes:>8.1f} {times[0] * 1e3:>9.2f} {BATCH / times[1]:>9.1f} "
          f"{BATCH / times[2]:>9.1f}")


def main():
  if sys.argv[1] == "--memory":
    print_memory(*sys.argv[2:])
    return
  with tempfile.TemporaryDirectory() as folder:
    compare(sys.argv[1], sys.argv[2:], folder)


if __name__ == "__main__":
  main()
