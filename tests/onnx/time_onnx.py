#!/usr/bin/env python3
"""How fast onnxruntime runs exported networks: time_onnx.py [--int8] FILE.onnx...

Run by hand, where Python has onnx and onnxruntime. Prints what //quant/runtime:runtime_benchmark prints of the same network in our
runtime: the time of an image alone, and images per second of 32 on one thread and on two. With --int8 every file is also quantized by
onnxruntime's own tool to 8 bits a channel: for networks exported in float.
"""

import os
import sys
import tempfile
import time

import numpy
import onnxruntime
from onnxruntime import quantization

RUNS, BATCH, BATCH_RUNS, THREADS = 50, 32, 8, (1, 2)


class Calibration(quantization.CalibrationDataReader):

  def __init__(self, name, images):
    self.batches = iter([{name: images[i:i + 1]} for i in range(len(images))])

  def get_next(self):
    return next(self.batches, None)


def session_of(path, threads):
  options = onnxruntime.SessionOptions()
  options.intra_op_num_threads = threads
  options.log_severity_level = 3
  return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def images_of(path):
  given = session_of(path, 1).get_inputs()[0]
  return given.name, numpy.random.default_rng(1).normal(size=(BATCH, *given.shape[1:])).astype(numpy.float32)


def seconds(session, name, images):
  start = time.perf_counter()
  session.run(None, {name: images})
  return time.perf_counter() - start


def measure(label, path):
  name, images = images_of(path)
  rates = []
  for threads in THREADS:
    session = session_of(path, threads)
    session.run(None, {name: images})
    if threads == 1:
      alone = min(seconds(session, name, images[:1]) for _ in range(RUNS))
    rates.append(BATCH / min(seconds(session, name, images) for _ in range(BATCH_RUNS)))
  print(f"{label:<16} {alone * 1e3:9.2f} " + " ".join(f"{rate:9.1f}" for rate in rates) +
        f" {os.path.getsize(path):10}", flush=True)


def main():
  int8 = "--int8" in sys.argv
  print(f"{'':<16} {'ms/image':>9} {'images/s':>9} {'2 threads':>9} {'file':>10}")
  for path in sys.argv[1:]:
    if path == "--int8":
      continue
    label = os.path.basename(path)
    measure(label, path)
    if int8:
      with tempfile.TemporaryDirectory() as folder:
        quantized = f"{folder}/int8.onnx"
        quantization.quantize_static(path, quantized, Calibration(*images_of(path)), per_channel=True)
        measure(f"{label}, int8", quantized)


if __name__ == "__main__":
  main()
